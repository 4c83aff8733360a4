# SPDX-License-Identifier: Apache-2.0
# A callgrind profile (names and positions not compressed) as a Markdown table: instructions of each
# function itself, a message. A message is what bench/load counts as one, an echo or a delivered
# copy; each is one call of zn__ws_packet.
#   awk -v title=TEXT -v rows=N -f costs.awk PROFILE

/^fn=/ { fn = substr($0, 4); next }
/^cfn=/ { callee = substr($0, 5); next }
/^calls=/ {
    calls[callee] += substr($1, 7)
    inclusive = 1 # the next line is the callee's cost
    next
}
/^[0-9+*-]/ {
    if (!inclusive) {
        self[fn] += $2
        total += $2
    }
    inclusive = 0
}

END {
    messages = calls["zn__ws_packet"]
    if (messages == 0) {
        print "bench/profile: no message was sent while the profile was taken" >"/dev/stderr"
        exit 1
    }
    printf "\n## %s\n\n%.1f instructions a message in user space, over %d messages.\n\n", title,
        total / messages, messages
    print "| function | instructions a message | share | calls a message |\n|---|---|---|---|"
    while (rows-- > 0) {
        top = ""
        for (fn in self)
            if (top == "" || self[fn] > self[top])
                top = fn
        if (top == "" || self[top] == 0)
            break
        printf "| %s | %.1f | %.1f %% | %.3f |\n", top, self[top] / messages,
            100 * self[top] / total, calls[top] / messages
        delete self[top]
    }
}

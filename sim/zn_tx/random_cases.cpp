// SPDX-License-Identifier: Apache-2.0
// Random traffic for each way of pausing at the host's end and at the wire; the other ends take
// turns.
#include "cases.h"
#include "rig.h"
#include "traffic.h"

namespace tx
{

namespace
{

constexpr unsigned rounds = 4;
constexpr unsigned messages = 40;
constexpr unsigned replies = 12;
constexpr unsigned pauses = sizeof(zn::all_pauses) / sizeof(zn::all_pauses[0]);

struct Mix {
    const char *name;
    bool own; // replies and heartbeats
};

std::string play(Rig &rig, Traffic &traffic, zn::Random &random, const Mix &mix)
{
    for (uint32_t flow = 0; flow < sizes.flows; flow++)
        rig.send(traffic.add(flow));
    for (unsigned round = 0; round < rounds; round++) {
        rig.set_time(rig.reference.now_ms + static_cast<uint32_t>(random.below(20000)));
        for (unsigned i = 0; i < messages; i++)
            rig.send(traffic.next());
        for (unsigned i = 0; mix.own && i < replies; i++)
            rig.reply(traffic.reply());
        const std::string why = rig.settle();
        if (!why.empty())
            return zn::text(": round %u: ", round) + why;
    }
    return "";
}

Settings random_settings(zn::Random &random, const Mix &mix)
{
    Settings out;
    out.heartbeats_on = mix.own;
    out.rate_period = static_cast<unsigned>(random.below(16));
    out.report_wait = static_cast<uint32_t>(random.below(100));
    out.ttl = static_cast<uint8_t>(random.bits());
    out.tos = static_cast<uint8_t>(random.bits());
    return out;
}

void add_seen(const Reference &reference, std::map<std::pair<unsigned, unsigned>, unsigned> &seen)
{
    for (const auto &entry : reference.seen)
        seen[entry.first] += entry.second;
}

// Every outcome that the contract knows has to have come up.
void check_seen(zn::Tap &tap, const std::map<std::pair<unsigned, unsigned>, unsigned> &seen)
{
    const std::map<unsigned, std::vector<unsigned>> outcomes = {
        { ZN_RECORD_SENT,
          { ZN_REASON_OK, ZN_REASON_NO_FLOW, ZN_REASON_LEFT_OUT, ZN_REASON_BLOCKED,
            ZN_REASON_IN_FRAME, ZN_REASON_TOO_LONG, ZN_REASON_NO_GRANT } },
        { ZN_RECORD_REPLY,
          { ZN_REASON_OK, ZN_REASON_NO_FLOW, ZN_REASON_RATE, ZN_REASON_IN_FRAME, ZN_REASON_TOO_LONG,
            ZN_REASON_NO_GRANT } },
        { ZN_RECORD_HEARTBEAT, { ZN_REASON_OK } },
        { ZN_RECORD_DONE, { ZN_REASON_OK, ZN_REASON_NO_FLOW, ZN_REASON_BAD_COMMAND } },
        { ZN_RECORD_BROADCAST_END, { ZN_REASON_OK, ZN_REASON_BAD_COMMAND } },
    };
    for (const auto &kind : outcomes) {
        for (const unsigned reason : kind.second) {
            const auto found = seen.find({ kind.first, reason });
            const unsigned times = found == seen.end() ? 0 : found->second;
            tap.ok(times > 0, zn::text("record_of_kind_%u_reason_%u_occurs", kind.first, reason));
            tap.note(zn::text("%u times", times));
        }
    }
}

} // namespace

void random_cases(zn::Tap &tap)
{
    std::map<std::pair<unsigned, unsigned>, unsigned> seen;
    for (const Mix &mix :
         { Mix{ "commands", false }, Mix{ "commands_replies_heartbeats", true } }) {
        for (unsigned i = 0; i < pauses * pauses; i++) {
            zn::Random random(100 + i + (mix.own ? 1000 : 0));
            Rig rig(random_settings(random, mix));
            Traffic traffic(rig.reference, sizes, 2000 + i, !mix.own);
            const zn::Pause idle = zn::all_pauses[i / pauses], stall = zn::all_pauses[i % pauses];
            rig.set_pauses({ idle, stall, zn::all_pauses[random.below(pauses)],
                             zn::all_pauses[random.below(pauses)],
                             zn::all_pauses[random.below(pauses)] });
            const std::string why = play(rig, traffic, random, mix);
            tap.ok(why.empty(), zn::text("%s_idle_%s_stall_%s_as_reference", mix.name,
                                         zn::pause_name(idle), zn::pause_name(stall)) +
                                    why);
            add_seen(rig.reference, seen);
        }
    }
    check_seen(tap, seen);
}

} // namespace tx

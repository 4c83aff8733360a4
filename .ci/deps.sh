#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing on a Debian system, and nothing when all is there.
#   deps.sh run    what `make run` needs: compiler, libraries, the socket.io-client package
#   deps.sh test   what `make test` needs in addition
#   deps.sh dpdk   what `make dpdk` needs, and the tests on network namespaces
#   deps.sh xdp    what `zapnic xdp` and its tests need: that, clang, libbpf, bpftool
#   deps.sh sim    what `make sim` needs: Verilator, a C++ compiler
#   deps.sh synth  what `make synth` and the lint of the RTL need: Yosys with slang, into build/yosys
#   deps.sh formal what `make formal` needs: that, a solver
#   deps.sh ci     what .ci/run needs in addition: sanitizers, linters, fuzzer, cross compiler, RTL tools
#   deps.sh bench  what `make bench` and `make profile` need besides: peers, gnuplot, profilers
#   deps.sh node   only the npm packages of tests/package-lock.json, into build/node
set -eu
cd "$(dirname "$0")/.."

RUN='gcc libc6-dev zlib1g-dev libssl-dev liburing-dev libinih-dev libjansson-dev ca-certificates'
TEST='libcmocka-dev chromium python3 python3-websockets'
CI='clang lld llvm libclang-rt-14-dev clang-format clang-tidy cppcheck shellcheck
    gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user pkg-config man-db'
DPDK='libdpdk-dev pkg-config iproute2 ethtool'
XDP='clang libbpf-dev bpftool'
SIM='verilator clang g++'
RTL='iverilog yosys z3'
BENCH='libwebsockets-dev golang-go golang-github-gorilla-websocket-dev nginx-light
    libnginx-mod-nchan python3-websockets gnuplot-nox pkg-config valgrind linux-perf'
NODE=build/node

# The packages among the arguments that are not installed.
missing() {
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
        awk -v want="$*" '$1 == "installed" { have[$2] = 1 }
            END { n = split(want, w); for (i = 1; i <= n; i++) if (!(w[i] in have)) print w[i] }'
}

node_major() {
    node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

apt_install() {
    as_root apt-get -qq -y --no-install-recommends install "$@" >/dev/null
}

install_debian() {
    # shellcheck disable=SC2046,SC2086 # words on purpose
    set -- $(missing $1)
    command -v npm >/dev/null || set -- "$@" nodejs npm
    [ $# -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "deps: these Debian packages are needed, and there is no apt-get here: $*" >&2
        exit 1
    fi
    echo "deps: installing Debian packages: $*"
    # Package lists that are missing or old are the one thing to try again for.
    if ! apt-cache show "$@" >/dev/null 2>&1 || ! apt_install "$@"; then
        as_root apt-get -qq update
        apt_install "$@"
    fi
}

# install_npm <folder of package-lock.json> <where to>
install_npm() {
    ! cmp -s "$1/package-lock.json" "$2/installed" || return 0
    if [ "$(node_major)" -lt 18 ]; then
        echo 'deps: Node.js 18 or newer and npm are needed: run "make deps"' >&2
        exit 1
    fi
    echo "deps: installing npm packages into $2"
    mkdir -p "$2"
    cp "$1/package.json" "$1/package-lock.json" "$2"
    (cd "$2" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error)
    cp "$1/package-lock.json" "$2/installed"
}

case ${1-} in
run) install_debian "$RUN" ;;
test) install_debian "$RUN $TEST" ;;
dpdk) install_debian "$RUN $DPDK" ;;
xdp) install_debian "$RUN $DPDK $XDP" ;;
sim) install_debian "$RUN $SIM" ;;
synth | formal)
    install_debian "$RUN $([ "$1" = synth ] || echo "$RTL")"
    install_npm rtl/synth build/yosys
    ;;
ci)
    install_debian "$RUN $TEST $CI $DPDK $XDP $SIM $RTL"
    install_npm rtl/synth build/yosys
    ;;
bench) install_debian "$RUN $BENCH" ;;
node) ;;
*)
    echo "usage: deps.sh run|test|dpdk|xdp|sim|synth|formal|ci|bench|node" >&2
    exit 2
    ;;
esac
install_npm tests "$NODE"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches the libraries of another Debian architecture into build/sysroot-<machine>, beside this
# system: neither root nor a foreign architecture in dpkg is needed.
#   sysroot.sh aarch64
set -eu
cd "$(dirname "$0")/.."
machine=${1-}
case $machine in
aarch64) arch=arm64 ;;
*)
    echo "usage: sysroot.sh aarch64" >&2
    exit 2
    ;;
esac
root=$PWD/build/sysroot-$machine
[ ! -e "$root/complete" ] || exit 0

echo "sysroot: fetching $arch libraries into build/sysroot-$machine"
mkdir -p "$root/apt/lists/partial" "$root/apt/cache/archives/partial" "$root/debs"
apt() {
    apt-get -qq -o Dir::State::Lists="$root/apt/lists" -o Dir::Cache="$root/apt/cache" \
        -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Acquire::Languages=none \
        -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" "$@"
}
# Other lists of this system may have nothing for this architecture: what counts is the download.
apt update || :
(cd "$root/debs" && apt download libssl-dev libssl3 zlib1g-dev zlib1g liburing-dev liburing2 \
    libinih-dev libinih1 libjansson-dev libjansson4 libcmocka-dev libcmocka0)
for deb in "$root"/debs/*.deb; do
    dpkg-deb -x "$deb" "$root"
done
rm -rf "$root/apt" "$root/debs"
touch "$root/complete"

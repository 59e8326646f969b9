#!/usr/bin/env bash
# build-talk-kernel.sh OUT: a small arm64 Linux 6.12 with the talk's change (vdso-image/linux/): OUT/Image. The source is
# Debian's package linux-source-6.12, the configuration tinyconfig with vdso-image/linux/config. Takes a quarter of an hour of
# a CPU the first time; after that only what changed is compiled. Nothing of it is committed.
set -euo pipefail
[ $# = 1 ] || { echo "usage: build-talk-kernel.sh OUT" >&2; exit 2; }
script=build-talk-kernel.sh package=linux-source-6.12 CC=aarch64-linux-gnu-gcc
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./linux-source.sh
check_tools
for tool in make flex bison bc; do command -v $tool >/dev/null || die "'$tool' is not installed (Debian package $tool)"; done
change=$(cd ../../vdso-image/linux && pwd)
unpack_source "$out" "$out" unpacked '*'
cd "$out/$package"
"$change/apply.sh" .
export ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-
if ! cmp -s "$change/config" "$out/config"; then
  make -s tinyconfig
  scripts/kconfig/merge_config.sh -m .config "$change/config" > "$out/config.log"
  make -s olddefconfig
  cp "$change/config" "$out/config"
fi
make -j"${JOBS:-1}" Image > "$out/build.log" 2>&1 || { tail -n 20 "$out/build.log" >&2; die "the kernel does not build"; }
cp arch/arm64/boot/Image "$out/Image"

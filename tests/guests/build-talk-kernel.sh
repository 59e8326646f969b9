#!/usr/bin/env bash
# build-talk-kernel.sh OUT [DESIGN]: a small arm64 Linux 6.12 whose vDSO answers getpid and its like (vdso-image/linux/), by the
# talk's design per-cpu, OUT/Image, or the mended one per-cpu-gen, OUT/Image-gen. The source is Debian's package
# linux-source-6.12, the configuration tinyconfig with vdso-image/linux/config. Takes eight minutes of a CPU the first time; after
# that only what changed is compiled. Nothing of it is committed.
set -euo pipefail
usage() { echo "usage: build-talk-kernel.sh OUT [per-cpu|per-cpu-gen]" >&2; exit 2; }
[ $# = 1 ] || [ $# = 2 ] || usage
case ${2:-per-cpu} in
  per-cpu) image=Image more= ;;
  per-cpu-gen) image=Image-gen more=CONFIG_VDSO_PER_CPU_GEN=y ;;
  *) usage ;;
esac
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
{ cat "$change/config"; echo "$more"; } > "$out/config.new"
if ! cmp -s "$out/config.new" "$out/config"; then
  make -s tinyconfig
  scripts/kconfig/merge_config.sh -m .config "$out/config.new" > "$out/config.log"
  make -s olddefconfig
  mv "$out/config.new" "$out/config"
fi
make -j"${JOBS:-1}" Image > "$out/build.log" 2>&1 || { tail -n 20 "$out/build.log" >&2; die "the kernel does not build"; }
cp arch/arm64/boot/Image "$out/$image"

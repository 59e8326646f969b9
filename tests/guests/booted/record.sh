#!/usr/bin/env bash
# record.sh BOOT PROGRAMS: writes 6.1.txt and 6.12.txt, what the programs of booted.py give on qemu-system-aarch64 (Debian package
# qemu-system-arm). BOOT is what fetch-boot.sh has made, PROGRAMS the initial file system of booted.py. With -icount the guests' time is
# that of their instructions, as here without a timing model: sleeps take none of the host's, and no test of latency sees a busy host.
set -euo pipefail
export LC_ALL=C
[ $# = 2 ] || { echo "usage: record.sh BOOT PROGRAMS" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
machine=(-M virt,gic-version=3 -accel tcg,thread=single -cpu cortex-a53 -smp 2 -m 512 -icount shift=3,sleep=off)
console=$(mktemp)
trap 'rm -f "$console"' EXIT
for series in 6.1 6.12; do
  timeout 1800 qemu-system-aarch64 "${machine[@]}" -nographic -nodefaults -serial stdio -kernel "$1/$series/vmlinuz" -initrd "$2" \
    -append "console=ttyAMA0 quiet programs=all" < /dev/null > "$console"
  {
    echo "# What programs give inside a booted kernel: $("$here/booted.py" results release < "$console"),"
    echo "# $(qemu-system-aarch64 --version | head -n 1), ${machine[*]}. Written by record.sh."
    "$here/booted.py" results < "$console"
  } > "$here/$series.txt.new"
  mv "$here/$series.txt.new" "$here/$series.txt"
done

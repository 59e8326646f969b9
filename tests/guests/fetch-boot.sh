#!/usr/bin/env bash
# fetch-boot.sh OUT: Debian's stock arm64 kernels of Linux 6.1 and 6.12 and an initial file system of busybox-static, for
# 'armvdso boot'. OUT/6.1/ and OUT/6.12/ get vmlinuz and initramfs.cpio each. Packages come by fetch-stock.sh and
# fetch-guests.sh; what is there is not made again. Nothing of it is committed.
set -euo pipefail
export LC_ALL=C
[ $# = 1 ] || { echo "usage: fetch-boot.sh OUT" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"

# Modules that the initial file system loads, in this order; what a kernel has built in is not there as a module.
modules=(virtio virtio_ring virtio_mmio virtio_blk rng-core virtio-rng)

[ -e "$out/stock/6.12.deb" ] || ./fetch-stock.sh "$out/stock"
busybox=$out/root/usr/bin/busybox
[ -x "$busybox" ] || ./fetch-guests.sh -n -F "$out/root" busybox-static
for series in 6.1 6.12; do
  [ -e "$out/$series/initramfs.cpio" ] && continue
  work=$out/$series.unpacked
  rm -rf "$work"
  mkdir -p "$work" "$out/$series"
  dpkg-deb --fsys-tarfile "$out/stock/$series.deb" |
    tar -x -C "$work" --wildcards './boot/vmlinuz-*' $(printf " */%s.ko*" "${modules[@]}") 2>"$work.log" || true
  kernel=("$work"/boot/vmlinuz-*)
  [ -e "${kernel[0]}" ] || { echo "fetch-boot.sh: no kernel in $out/stock/$series.deb: $(tail -n 1 "$work.log")" >&2; exit 1; }
  cp "${kernel[0]}" "$out/$series/vmlinuz"
  find "$work" -name '*.ko.xz' -exec xz -d {} +
  order=()
  for m in "${modules[@]}"; do
    file=$(find "$work" -name "$m.ko" | head -n 1)
    [ -z "$file" ] || order+=("$file")
  done
  python3 make-initramfs.py "$busybox" ${order[@]+"${order[@]}"} > "$out/$series/initramfs.cpio.new"
  mv "$out/$series/initramfs.cpio.new" "$out/$series/initramfs.cpio"
  rm -rf "$work" "$work.log"
done

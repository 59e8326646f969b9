#!/usr/bin/env bash
# fetch-stock.sh OUT: downloads Debian's arm64 kernel packages of Linux 6.1 and 6.12, the newest that the
# package lists have, and links them as OUT/6.1.deb and OUT/6.12.deb. Nothing is installed or unpacked:
# 'armvdso vdso extract OUT/6.1.deb' takes the vDSO image out of one.
set -euo pipefail
export LC_ALL=C
[ $# = 1 ] || { echo "usage: fetch-stock.sh OUT" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"

# The metapackage of a series depends on its newest kernel.
newest() {
  ./fetch-guests.sh -p "$out" "$1" | awk -F'\t' -v like="$2" '$1 ~ like { print $1 }' | sort -V | tail -n 1
}
for series in 6.1 6.12; do
  case $series in
    6.1) meta=linux-image-arm64 like='^linux-image-6[.]1[.][0-9]+-[0-9]+-arm64$' ;;
    *) meta=linux-image-$series-arm64 like='^linux-image-6[.]12[.][0-9]+[+].*-arm64$' ;;
  esac
  name=$(newest "$meta" "$like")
  [ -n "$name" ] || { echo "fetch-stock.sh: '$meta' names no kernel of Linux $series" >&2; exit 3; }
  ./fetch-guests.sh -n -F -d "$out" "$name"
  debs=("$out.fetch/archives/$name"_*.deb)
  [ -e "${debs[0]}" ] || { echo "fetch-stock.sh: '$name' did not arrive" >&2; exit 1; }
  ln -sfn "${debs[-1]}" "$out/$series.deb"
done

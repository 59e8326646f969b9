#!/usr/bin/env bash
# fetch-stock.sh OUT [SERIES...]: downloads Debian's arm64 kernel packages of Linux 6.1 and 6.12, the newest that the
# package lists have, and links them as OUT/6.1.deb and OUT/6.12.deb; as SERIES also "new", the newest backport. Nothing is
# installed or unpacked: 'armvdso vdso extract OUT/6.1.deb' takes the vDSO image out of one.
set -euo pipefail
export LC_ALL=C
[ $# -ge 1 ] || { echo "usage: fetch-stock.sh OUT [6.1|6.12|new]..." >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- 6.1 6.12
cd "$(dirname "${BASH_SOURCE[0]}")"

# The backports are a suite of the archive that this machine has its packages from, on a folder of its own.
backports() {
  local from=/etc/apt/sources.list.d/debian.sources uris
  uris=$(awk '$1 == "URIs:" && $2 ~ /debian\/?$/ { print $2; exit }' "$from" 2>/dev/null || true)
  [ -n "$uris" ] || { echo "fetch-stock.sh: no Debian archive in $from" >&2; return 1; }
  printf 'Types: deb\nURIs: %s\nSuites: trixie-backports\nComponents: main\nSigned-By: %s\n' "$uris" \
    /usr/share/keyrings/debian-archive-keyring.gpg > "$1"
}
# The metapackage of a series depends on its newest kernel.
newest() {
  ./fetch-guests.sh -p "$out" "$1" | awk -F'\t' -v like="$2" '$1 ~ like { print $1 }' | sort -V | tail -n 1
}
# Backports alone have not what their packages depend on, so nothing can be resolved: the newest that the lists name.
newest_backport() {
  ./fetch-guests.sh -n -p -s "$out/backports.sources" "$folder" linux-image-arm64 > /dev/null
  for list in "$folder.fetch/lists/"*_binary-arm64_Packages*; do /usr/lib/apt/apt-helper cat-file "$list"; done |
    awk '$1 == "Package:" && $2 ~ /^linux-binary-[0-9.]+[+]deb[0-9]+-arm64$/ { print $2 }' | sort -V | tail -n 1
}
for series; do
  folder=$out sources=()
  case $series in
    6.1) meta=linux-image-arm64 name=$(newest $meta '^linux-image-6[.]1[.][0-9]+-[0-9]+-arm64$') ;;
    6.12) meta=linux-image-6.12-arm64 name=$(newest $meta '^linux-image-6[.]12[.][0-9]+[+].*-arm64$') ;;
    new)
      meta=trixie-backports folder=$out/backports
      mkdir -p "$folder"
      backports "$out/backports.sources"
      sources=(-s "$out/backports.sources")
      name=$(newest_backport) ;;
    *) echo "fetch-stock.sh: no series '$series'" >&2; exit 2 ;;
  esac
  [ -n "$name" ] || { echo "fetch-stock.sh: '$meta' names no kernel of Linux $series" >&2; exit 3; }
  ./fetch-guests.sh -n -F -d ${sources[@]+"${sources[@]}"} "$folder" "$name"
  debs=("$folder.fetch/archives/$name"_*.deb)
  [ -e "${debs[0]}" ] || { echo "fetch-stock.sh: '$name' did not arrive" >&2; exit 1; }
  ln -sfn "${debs[-1]}" "$out/$series.deb"
done

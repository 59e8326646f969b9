#!/usr/bin/env bash
# build.sh           builds the images and bin/layout.tsv, and writes bin/SHA256SUMS
# build.sh --check   builds into a temporary folder and compares with bin/: status 1 when something differs
# Needs clang-19 and ld.lld-19 (Debian packages clang-19, lld-19). The same sources and the same compiler
# version give the same bytes wherever they are.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")"

die() { echo "build.sh: $1" >&2; exit 1; }
need() { command -v "$1" >/dev/null || die "'$1' is not installed (Debian package $2)"; }
need clang-19 clang-19
need ld.lld-19 lld-19

check=0
case ${1-} in
  '') ;;
  --check) check=1 ;;
  *) echo "usage: build.sh [--check]" >&2; exit 2 ;;
esac

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
out=$tmp/bin
mkdir "$out"

# No C library. No vector registers: they are the caller's. PC-relative addresses within 1 MiB. Not x18,
# which can be a caller's shadow stack pointer. No branch protection: the image is mapped as unguarded
# pages, like the stock ones.
flags=(--target=aarch64-linux-gnu -march=armv8-a -nostdinc -Iinclude -Iarch/arm64/include -Wall -Wextra -Werror)
cflags=(-std=gnu11 -O2 -ffreestanding -fno-builtin -fPIC -mcmodel=tiny -mgeneral-regs-only
  -ffixed-x18 -mbranch-protection=none -fvisibility=hidden -fno-stack-protector -fno-strict-aliasing -fno-common -fno-ident -fno-addrsig
  -fasynchronous-unwind-tables)

# The loaded segment ends where the file ends, so that the section headers are in the mapped pages, where
# debuggers look for them. No linker script can say that: p_filesz and p_memsz of the first program header
# are written afterwards.
extend_segment() {
  local size bytes='' i
  size=$(stat -c %s "$1")
  for ((i = 0; i < 8; i++)); do bytes+=$(printf '\\x%02x' $((size >> 8 * i & 255))); done
  printf '%b' "$bytes$bytes" | dd of="$1" bs=1 seek=$((64 + 32)) conv=notrunc status=none
}

# image DESIGN LAYOUT PROTOCOL [FLAG...]: compiles the sources for a design and links bin/vdso-DESIGN.so; LAYOUT
# gets what the kernel model must know of it. Each design is the same text with another protocol header.
image() {
  local design=$1 layout=$out/$2 source object vvar_size objects=()
  local design_flags=("-DVDSO_PROTOCOL=<vdso/protocol/$3.h>" "${@:4}")
  clang-19 "${flags[@]}" "${cflags[@]}" "${design_flags[@]}" -S -o "$tmp/layout.s" layout.c
  sed -n 's/^.*\.ascii[[:space:]]*"->\([^ ]*\) \(-\{0,1\}[0-9]*\)".*$/\1\t\2/p' "$tmp/layout.s" > "$layout"
  vvar_size=$(awk -F'\t' '$1 == "vvar_size" { print $2 }' "$layout")
  [ -n "$vvar_size" ] || die "layout.c gave no vvar_size"
  for source in "${sources[@]}"; do
    object=$tmp/$design-$(basename "$source").o
    case $source in
      *.c) clang-19 "${flags[@]}" "${cflags[@]}" "${design_flags[@]}" -c -o "$object" "$source" ;;
      *.S) clang-19 "${flags[@]}" -c -o "$object" "$source" ;;
    esac
    objects+=("$object")
  done
  ld.lld-19 -shared -soname linux-vdso.so.1 --hash-style=both --build-id=sha1 --eh-frame-hdr -Bsymbolic \
    --no-undefined --undefined-version --strip-all --fatal-warnings --orphan-handling=error -z max-page-size=4096 -z rodynamic \
    --defsym=VDSO_PAGES_SIZE="$vvar_size" --version-script=vdso.map -T vdso.lds -o "$out/vdso-$design.so" "${objects[@]}"
  # A name that no source defines passes the linker, since not every design has every function.
  awk -F'\t' '!/^#/ && NF { print $1, $5 }' calls.tsv | while read -r name answer; do
    [[ $answer = id && " ${*:4} " = *" -DVDSO_ONLY_CPU "* ]] && continue
    grep -q "__kernel_$name" "$out/vdso-$design.so" || die "calls.tsv has $name, but no source gives vdso-$design.so a __kernel_$name"
  done
  extend_segment "$out/vdso-$design.so"
}

sources=(arch/arm64/{vgettimeofday.c,vgetrandom.c,vgetrandom-chacha.S,vpercpu.c,sigreturn.S,note.S,vsched.c})
image per-cpu layout.tsv plain
image per-cpu-seq layout-per-cpu-seq.tsv sequence -DVDSO_SLOT_LINE
image per-cpu-gen layout-per-cpu-gen.tsv generation -DVDSO_SLOT_LINE
image per-cpu-fixup layout-per-cpu-fixup.tsv fixup -DVDSO_SLOT_LINE
# The image reaches its data with one ADR: with the code they must be within 1 MiB.
image per-thread layout-per-thread.tsv thread -DVDSO_SLOT_LINE -DVDSO_THREAD_PAGES=127
image rseq layout-rseq.tsv rseq -DVDSO_ONLY_CPU

compiler=$(clang-19 --version | head -n 1)
{
  echo "# $compiler; $(ld.lld-19 --version)"
  find include lib arch vdso.lds vdso.map calls.tsv layout.c build.sh -type f | sort | xargs sha256sum
  (cd "$tmp" && find bin -type f | sort | xargs sha256sum)
} > "$tmp/SHA256SUMS"

if [ $check = 1 ]; then
  bad=0
  for file in "$out"/*; do
    cmp "$file" "bin/$(basename "$file")" || bad=1
  done
  # The comment line may differ: only bytes count.
  diff <(grep -v '^#' "$tmp/SHA256SUMS") <(grep -v '^#' bin/SHA256SUMS) || bad=1
  [ $bad = 0 ] || die "bin/ is not what the sources give with $compiler; run build.sh and commit bin/"
  echo "bin/ is what the sources give"
else
  mkdir -p bin
  cp "$out"/* "$tmp/SHA256SUMS" bin/
fi

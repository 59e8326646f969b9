#!/usr/bin/env bash
# build-aux-vdso.sh OUT: the vDSO of Debian's newest backported Linux, from its own sources and with its own configuration, but with
# auxiliary clocks (CONFIG_POSIX_AUX_CLOCKS), as OUT/vdso-aux.so. Its five files are compiled against the package of headers; no kernel
# is configured. Nothing of it is committed.
set -euo pipefail
[ $# = 1 ] || { echo "usage: build-aux-vdso.sh OUT" >&2; exit 2; }
script=build-aux-vdso.sh CC=${CC:-aarch64-linux-gnu-gcc}
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./linux-source.sh
check_tools
./fetch-stock.sh "$out" new
release=$(readlink "$out/new.deb" | sed -E 's|.*/linux-binary-(.*)-arm64_.*|\1|')
series=$(cut -d. -f1,2 <<< "$release")
headers=linux-headers-$release source=linux-source-$series
./fetch-guests.sh -n -F -d -s "$out/backports.sources" "$out/backports" "$headers-arm64" "$headers-common" "$source"
archives=$out/backports.fetch/archives work=$out/aux
rm -rf "$work"
mkdir -p "$work/generated"
for part in arm64 common; do dpkg-deb -x "$archives/$headers-$part"_*.deb "$work"; done
dpkg-deb --fsys-tarfile "$archives/$source"_*.deb | tar -xO -f - "./usr/src/$source.tar.xz" | xz -dc -T2 |
  tar -x -C "$work" -f - "$source/arch/arm64/kernel/vdso" "$source/lib/vdso"
h=$work/usr/src/$headers-arm64 c=$work/usr/src/$headers-common s=$work/$source v=$work/$source/arch/arm64/kernel/vdso
cp -r "$h/include/generated/." "$work/generated"
chmod -R u+w "$work/generated"
echo '#define CONFIG_POSIX_AUX_CLOCKS 1' >> "$work/generated/autoconf.h"
include=(-nostdinc "-I$c/arch/arm64/include" "-I$h/arch/arm64/include/generated" "-I$c/include" "-I$work" "-I$h/include"
  "-I$c/arch/arm64/include/uapi" "-I$h/arch/arm64/include/generated/uapi" "-I$c/include/uapi" "-I$h/include/generated/uapi"
  -include "$c/include/linux/compiler-version.h" -include "$c/include/linux/kconfig.h" -D__KERNEL__)
flags=(-mlittle-endian -std=gnu11 -fshort-wchar -fno-common -fno-builtin -fno-strict-aliasing -fms-extensions -mgeneral-regs-only -O2
  -fPIC -fno-stack-protector -ffixed-x18 -DBUILD_VDSO -DDISABLE_BRANCH_PROFILING -mcmodel=tiny -fasynchronous-unwind-tables
  -mbranch-protection=pac-ret+bti -w)
objects=()
compile() { "$CC" "${include[@]}" "${flags[@]}" "${@:2}" -c "$v/$1" -o "$work/${1%.*}.o" && objects+=("$work/${1%.*}.o"); }
types=(-include "$c/include/linux/compiler_types.h")
compile vgettimeofday.c "${types[@]}" -include "$s/lib/vdso/gettimeofday.c"
compile vgetrandom.c "${types[@]}" -include "$s/lib/vdso/getrandom.c"
for file in note sigreturn vgetrandom-chacha; do compile $file.S -D__ASSEMBLY__; done
"$CC" -E "${include[@]}" -D__ASSEMBLY__ -P -C -DLINKER_SCRIPT -x assembler-with-cpp "$v/vdso.lds.S" -o "$work/vdso.lds"
"${CC%gcc}ld" -shared -soname=linux-vdso.so.1 -Bsymbolic --build-id=sha1 -n -T "$work/vdso.lds" "${objects[@]}" -o "$work/vdso.so.dbg"
"${CC%gcc}objcopy" -S "$work/vdso.so.dbg" "$out/vdso-aux.so"
rm -rf "$work"

#!/usr/bin/env bash
# build-selftests.sh OUT: builds the kernel's own vDSO, rseq and time namespace tests (tools/testing/selftests of
# Linux 6.1, from Debian's package linux-source-6.1) for arm64 into OUT.
# The package is downloaded, its hash checked by apt, and unpacked; it is not installed. It is kept, with what
# was unpacked of it, in OUT.fetch (150 MB), and not fetched again.
# Static programs, because vDSO tests must not depend on the C library of a root folder; except
# vdso_test_correctness-dyn, which finds the vDSO through the dynamic linker (ROOT/lib/ld-linux-aarch64.so.1).
set -euo pipefail
export LC_ALL=C
package=linux-source-6.1
CC=${CC:-aarch64-linux-gnu-gcc}

die() { echo "build-selftests.sh: $1" >&2; exit 1; }
[ $# = 1 ] || { echo "usage: build-selftests.sh OUT" >&2; exit 2; }
for tool in apt-get dpkg-deb xz tar; do command -v $tool >/dev/null || die "'$tool' is not installed"; done
command -v "$CC" >/dev/null || die "'$CC' is not installed (Debian package gcc-aarch64-linux-gnu)"
mkdir -p "$1" "$1.fetch"
out=$(cd "$1" && pwd)
cache=$out.fetch
tests=$cache/$package/tools/testing/selftests

if ! [ -e "$cache/unpacked" ]; then
  if ! compgen -G "$cache/${package}_*.deb" >/dev/null; then
    echo "build-selftests.sh: downloading $package" >&2
    (cd "$cache" && apt-get -qq download "$package") >"$cache/download.log" 2>&1 \
      || die "download of '$package' failed: $(grep -m1 '^E:' "$cache/download.log" || tail -n 1 "$cache/download.log") ('apt-get update' may help)"
  fi
  debs=("$cache/${package}"_*.deb)
  rm -rf "${cache:?}/$package"
  dpkg-deb --fsys-tarfile "${debs[-1]}" | tar -xO -f - "./usr/src/$package.tar.xz" | xz -dc -T2 | tar -x -C "$cache" -f - --wildcards \
    "$package/tools/testing/selftests/vDSO" "$package/tools/testing/selftests/timens" "$package/tools/testing/selftests/rseq" \
    "$package/tools/testing/selftests/kselftest*.h" "$package/tools/testing/selftests/lib*.mk" "$package/tools/include/*"
  : > "$cache/unpacked"
fi

built=0
# build SUBFOLDER NAME SOURCE... [-OPTION...]: the first source decides whether this kernel version has the test.
build() {
  local folder=$tests/$1 name=$2
  shift 2
  [ -e "$folder/$1" ] || { echo "build-selftests.sh: $package has no $1" >&2; return 0; }
  # The tests' own warnings are not ours to mend.
  (cd "$folder" && "$CC" -O2 -std=gnu99 -w -D_GNU_SOURCE -I.. -I"$cache/$package/tools/include" -o "$out/$name" "$@") || die "'$name' did not compile"
  built=$((built + 1))
}

build vDSO vdso_test_gettimeofday vdso_test_gettimeofday.c parse_vdso.c -static
build vDSO vdso_test_getcpu vdso_test_getcpu.c parse_vdso.c -static
# The test asks for x86's name of getcpu, as no arm64 kernel has one: built for the name that our image has, too.
sed 's/"LINUX_2.6"/"LINUX_2.6.39"/; s/"__vdso_getcpu"/"__kernel_getcpu"/' "$tests/vDSO/vdso_test_getcpu.c" > "$tests/vDSO/vdso_test_getcpu-kernel.c"
build vDSO vdso_test_getcpu-kernel vdso_test_getcpu-kernel.c parse_vdso.c -static
build vDSO vdso_test_abi vdso_test_abi.c parse_vdso.c -static
build vDSO vdso_test_clock_getres vdso_test_clock_getres.c -static
build vDSO vdso_test_correctness vdso_test_correctness.c -static -ldl
build vDSO vdso_test_correctness-dyn vdso_test_correctness.c -ldl
for name in basic_test basic_percpu_ops_test; do
  build rseq rseq_$name $name.c rseq.c -I. -pthread -static
done
for name in timens timerfd timer clock_nanosleep procfs exec futex; do
  build timens timens_$name $name.c -lrt -pthread -static
done
echo "build-selftests.sh: $built programs in '$out'" >&2

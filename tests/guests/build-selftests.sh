#!/usr/bin/env bash
# build-selftests.sh OUT: builds the kernel's own vDSO, rseq, time namespace, futex, timer and signal stack tests
# (tools/testing/selftests of Linux 6.12, from Debian's package linux-source-6.12) for arm64 into OUT.
# The package is downloaded, its hash checked by apt, and unpacked; it is not installed. It is kept, with what
# was unpacked of it, in OUT.fetch (150 MB), and not fetched again.
# Static programs, because vDSO tests must not depend on the C library of a root folder; except
# vdso_test_correctness-dyn, which finds the vDSO through the dynamic linker (ROOT/lib/ld-linux-aarch64.so.1).
set -euo pipefail
script=build-selftests.sh
package=linux-source-6.12
CC=${CC:-aarch64-linux-gnu-gcc}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/linux-source.sh"

[ $# = 1 ] || { echo "usage: $script OUT" >&2; exit 2; }
check_tools
mkdir -p "$1" "$1.fetch"
out=$(cd "$1" && pwd)
cache=$out.fetch
tests=$cache/$package/tools/testing/selftests
unpack_source "$cache" "$cache" unpacked-with-timers 'tools/testing/selftests/vDSO' 'tools/testing/selftests/timens' \
  'tools/testing/selftests/rseq' 'tools/testing/selftests/futex' 'tools/testing/selftests/timers' 'tools/testing/selftests/sigaltstack' \
  'tools/testing/selftests/kselftest*.h' 'tools/testing/selftests/lib*.mk' 'tools/include/*' 'include/uapi/*' 'arch/arm64/include/*' \
  'arch/arm64/kernel/vdso/*' 'include/linux/*' 'include/vdso/*' 'include/asm-generic/*'

built=0
# build SUBFOLDER NAME SOURCE... [-OPTION...]: the first source decides whether this kernel version has the test.
build() {
  local folder=$tests/$1 name=$2
  shift 2
  [ -e "$folder/$1" ] || { echo "$script: $package has no $1" >&2; return 0; }
  # The tests' own warnings are not ours to mend.
  (cd "$folder" && "$CC" -O2 -std=gnu11 -w -D_GNU_SOURCE -I.. -I. -idirafter "$cache/$package/tools/include" -o "$out/$name" "$@") \
    || die "'$name' did not compile"
  built=$((built + 1))
}

# Two headers of the C library are older than the tests: the kernel's own instead.
uapi=$cache/uapi
mkdir -p "$uapi/linux"
for header in random.h auxvec.h; do
  sed 's/__user//g' "$cache/$package/include/uapi/linux/$header" > "$uapi/linux/$header"
done

build vDSO vdso_test_gettimeofday vdso_test_gettimeofday.c parse_vdso.c -static
build vDSO vdso_test_getcpu vdso_test_getcpu.c parse_vdso.c -static
# The test asks for x86's name of getcpu, as no arm64 kernel has one: built for the name that our image has, too.
sed 's/vdso_sym(version, name\[4\])/vdso_sym("LINUX_2.6.39", "__kernel_getcpu")/' "$tests/vDSO/vdso_test_getcpu.c" \
  > "$tests/vDSO/vdso_test_getcpu-kernel.c"
build vDSO vdso_test_getcpu-kernel vdso_test_getcpu-kernel.c parse_vdso.c -static
build vDSO vdso_test_abi vdso_test_abi.c parse_vdso.c -static
build vDSO vdso_test_clock_getres vdso_test_clock_getres.c -static
build vDSO vdso_test_correctness vdso_test_correctness.c -static -ldl
build vDSO vdso_test_correctness-dyn vdso_test_correctness.c -ldl
build vDSO vdso_test_getrandom vdso_test_getrandom.c parse_vdso.c -I"$uapi" -pthread -static
# The cipher of our image, and of the kernel's; one trial in place of 1000, each of which is 128 times 128 blocks.
sed 's/TRIALS = 1000,/TRIALS = 1,/' "$tests/vDSO/vdso_test_chacha.c" > "$tests/vDSO/vdso_test_chacha-1.c"
build vDSO vdso_test_chacha vdso_test_chacha-1.c "$here/../../vdso-image/arch/arm64/vgetrandom-chacha.S" -static
mkdir -p "$cache/shim/asm" "$cache/shim/linux"
: > "$cache/shim/asm/cache.h"
cat > "$cache/shim/linux/linkage.h" <<'H'
#define SYM_FUNC_START(name) .globl name; .type name, %function; name:
#define SYM_FUNC_END(name) .size name, . - name
H
cat > "$cache/shim/asm/assembler.h" <<'H'
.macro mov_q reg, value
ldr \reg, =\value
.endm
.macro emit_aarch64_feature_1_and
.endm
H
build vDSO vdso_test_chacha-stock vdso_test_chacha-1.c "$cache/$package/arch/arm64/kernel/vdso/vgetrandom-chacha.S" -I"$cache/shim" -static
for name in basic_test basic_percpu_ops_test param_test; do
  build rseq rseq_$name $name.c rseq.c -I"$uapi" -pthread -static
done
# The same with a hundredth of the 20 million list operations and of the million locks, which no option reduces.
sed 's/i < 100000/i < 1000/; s/reps = 5000/reps = 50/' "$tests/rseq/basic_percpu_ops_test.c" > "$tests/rseq/basic_percpu_ops_test-short.c"
build rseq rseq_basic_percpu_ops_test-short basic_percpu_ops_test-short.c rseq.c -I"$uapi" -pthread -static
build rseq rseq_basic_percpu_ops_mm_cid_test-short basic_percpu_ops_test-short.c rseq.c -I"$uapi" \
  -DBUILDOPT_RSEQ_PERCPU_MM_CID -pthread -static
build rseq rseq_basic_percpu_ops_mm_cid_test basic_percpu_ops_test.c rseq.c -I"$uapi" -DBUILDOPT_RSEQ_PERCPU_MM_CID -pthread -static
build rseq rseq_param_test_compare_twice param_test.c rseq.c -I"$uapi" -DRSEQ_COMPARE_TWICE -pthread -static
build rseq rseq_param_test_mm_cid param_test.c rseq.c -I"$uapi" -DBUILDOPT_RSEQ_PERCPU_MM_CID -pthread -static
build rseq rseq_param_test_mm_cid_compare_twice param_test.c rseq.c -I"$uapi" \
  -DBUILDOPT_RSEQ_PERCPU_MM_CID -DRSEQ_COMPARE_TWICE -pthread -static
build rseq rseq_param_test_benchmark param_test.c rseq.c -I"$uapi" -DBENCHMARK -pthread -static
build rseq rseq_param_test_mm_cid_benchmark param_test.c rseq.c -I"$uapi" -DBUILDOPT_RSEQ_PERCPU_MM_CID -DBENCHMARK -pthread -static
for name in timens timerfd timer clock_nanosleep procfs exec futex vfork_exec gettime_perf; do
  build timens timens_$name $name.c -lrt -ldl -pthread -static
done
for source in "$tests"/futex/functional/*.c; do
  build futex/functional "$(basename "$source" .c)" "$(basename "$source")" -I../include -I../.. -I"$uapi" -lrt -pthread -static
done
for name in posix_timers nanosleep nsleep-lat set-timer-lat mqueue-lat inconsistency-check raw_skew threadtest \
    valid-adjtimex adjtick skew_consistency freq-step leap-a-day set-tai set-2038 set-tz; do
  # valid-adjtimex has a function of its own for one that the C library has, too.
  build timers "timers_$name" $name.c -lrt -lm -pthread -static -Wl,--allow-multiple-definition
done
build sigaltstack sas sas.c -static
echo "$script: $built programs in '$out'" >&2

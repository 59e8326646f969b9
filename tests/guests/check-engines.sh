#!/usr/bin/env bash
# check-engines.sh [-t TIER] [-m MAX_MINSNS] ROOT: every program of the pool, and the programs of build-c.sh and build-isa.sh (built
# into tests/guests/build), with both engines in lockstep (--check-engine), without a timing model and with cortex-a53. A run fails
# when the engines differ (status 125) or its result is wrong. Defaults: tier 1, all of it without a timing model, programs below
# 20 million instructions with one (naive and memoised timing are then compared too). Prints a line a run.
set -uo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
tier=1 most=20
while getopts t:m: o; do case $o in t) tier=$OPTARG;; m) most=$OPTARG;; *) exit 2;; esac; done
shift $((OPTIND-1))
root=${1:?ROOT}
armvdso=${ARMVDSO:-"dotnet $here/../../tools/ArmVdso.Cli/bin/Release/net10.0/armvdso.dll"}
failed=0
echo "== pool, tier $tier, no timing model"
ARMVDSO=$armvdso ARMVDSO_RUN="--check-engine --core none" "$here/run-pool.sh" -t "$tier" "$root" || failed=1
echo "== pool, tier $tier, cortex-a53, below $most million instructions"
ARMVDSO=$armvdso ARMVDSO_RUN="--check-engine --core cortex-a53" "$here/run-pool.sh" -t "$tier" -m "$most" "$root" || failed=1
"$here/build-c.sh" "$here/build" && "$here/build-isa.sh" "$here/build/isa" gcc-O2-llsc clang-O3-v85 || exit 1
for program in "$here"/build/{fork_exec,futex,hello,memory,signals,threads,time} "$here"/build/isa/{gcc-O2-llsc,clang-O3-v85}/*; do
  for core in none cortex-a53; do
    # shellcheck disable=SC2086
    $armvdso run --check-engine --core "$core" "$program" >/dev/null 2>/tmp/check-engines.$$
    status=$?
    # hello's status is the number of its arguments.
    if [ "$status" = 0 ]; then
      echo "ok ${program#"$here"/build/} $core"
    else
      echo "FAILED ${program#"$here"/build/} $core: status $status"
      head -n 3 /tmp/check-engines.$$
      failed=1
    fi
  done
done
rm -f /tmp/check-engines.$$
[ $failed = 0 ] && echo "no difference between the engines"
exit $failed

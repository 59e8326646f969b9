#!/usr/bin/env bash
# run-ltp.sh DIR [RESULTS [PROGRAM...]]: runs the system call programs of an LTP that was built for arm64 in its source folder DIR,
# unchanged and one after the other, with `armvdso run`; without names all that DIR/runtest/syscalls has. Each program's output is
# written to RESULTS/NAME.log and its status to RESULTS/status.tsv; the last line counts the statuses by LTP's meaning.
#
#   ARMVDSO     the command; the release build of this tree without it
#   LTP_ROOT    the guest's root, a Debian tree with /bin/sh (tests/guests/root)
#   LTP_LIMIT   seconds of the host that a program has (20)
set -euo pipefail
if [ $# -lt 1 ] || [ ! -f "$1/runtest/syscalls" ]; then
  echo "usage: run-ltp.sh DIR [RESULTS [PROGRAM...]]; DIR holds runtest/syscalls" >&2
  exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ltp=$(cd "$1" && pwd)
results=${2:-ltp-results}
shift $(($# < 2 ? $# : 2))
command=${ARMVDSO:-$here/../../tools/ArmVdso.Cli/bin/Release/net10.0/armvdso}
root=${LTP_ROOT:-$here/root}
[ -x "$command" ] || { echo "run-ltp.sh: no $command: dotnet build -c Release, or set ARMVDSO" >&2; exit 1; }
[ -d "$root/bin" ] || { echo "run-ltp.sh: no $root: tests/guests/fetch-guests.sh makes it, or set LTP_ROOT" >&2; exit 1; }
mkdir -p "$results/bin"
results=$(cd "$results" && pwd)
# What `make install` would put beside each other: programs find their helpers by PATH.
find "$ltp/testcases/kernel/syscalls" "$ltp/testcases/lib" -type f -perm -100 ! -name '*.o' -exec cp -u -t "$results/bin" {} +
if [ $# -gt 0 ]; then
  printf '%s\n' "$@"
else
  awk 'NF > 1 && $1 !~ /^#/ { print $2 }' "$ltp/runtest/syscalls" | sort -u
fi | while read -r name; do if [ -x "$results/bin/$name" ]; then echo "$name"; fi; done > "$results/programs"
: > "$results/status.tsv"
while read -r name; do
  status=0
  "$command" run --core none --engine native --timeout "${LTP_LIMIT:-20}" --root "$root" --bind "$results/bin:/opt/ltp/testcases/bin:ro" \
    --cwd /tmp -E LTPROOT=/opt/ltp -E TMPDIR=/tmp -E LTP_COLORIZE_OUTPUT=n \
    -E PATH=/opt/ltp/testcases/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    "/opt/ltp/testcases/bin/$name" > "$results/$name.log" 2>&1 < /dev/null || status=$?
  printf '%s\t%s\n' "$status" "$name" >> "$results/status.tsv"
done < "$results/programs"
# A status of LTP is a sum: 1 failed, 2 broken, 4 warned, 32 not for this configuration.
awk -F '\t' '{ n++; if ($1 == 0) pass++; else if ($1 == 124) late++; else if ($1 == 32) conf++; else fail++ }
  END { printf "%d programs: %d passed, %d failed, %d not for this configuration, %d beyond the limit\n",
    n, pass, fail, conf, late }' "$results/status.tsv"

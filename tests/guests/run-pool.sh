#!/usr/bin/env bash
# run-pool.sh [-t TIER] [-m MAX_MINSNS] [-j JOBS] ROOT [NAME...]: runs the pool's programs on ArmVdso and compares standard
# output and exit status with the goldens. -t: programs of that tier and below (default 1); -m: leaves out programs above so
# many million instructions. Prints a line a program, then "N passed, N failed". Further options for armvdso: ARMVDSO_RUN.
set -uo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
tier=1 most=100000000 jobs=1
while getopts t:m:j: o; do case $o in t) tier=$OPTARG;; m) most=$OPTARG;; j) jobs=$OPTARG;; *) exit 2;; esac; done
shift $((OPTIND-1))
root=${1:?ROOT}; shift
armvdso=${ARMVDSO:-"dotnet $here/../../tools/ArmVdso.Cli/bin/Release/net10.0/armvdso.dll"}
one() { # NAME -> line
  local n=$1 g=$here/pool/$1 o=() e=() t s
  t=$(mktemp -d)
  [ -e "$g.uid" ] && { o+=(--user "$(cat "$g.uid")"); e+=(-E HOME=/tmp); }
  [ -e "$g.pid1" ] && o+=(--pid 1)
  local in=/dev/null; [ -e "$g.stdin" ] && in=$root$(cat "$g.stdin")
  # The command line's own redirections are the shell's that made the golden: standard error joins the output.
  local words cmd merge=; cmd=$(cat "$g.cmd"); case $cmd in *' 2>&1') cmd=${cmd% 2>&1}; merge=1;; esac
  eval "words=($cmd)"
  s=$(date +%s.%N)
  # shellcheck disable=SC2086
  $armvdso run ${ARMVDSO_RUN:-} --root "$root" "${o[@]}" "${e[@]}" "${words[@]}" < "$in" > "$t/out" 2> "$t/err"
  local rc=$?
  [ -n "$merge" ] && cat "$t/err" >> "$t/out"
  s=$(awk -v a="$s" -v b="$(date +%s.%N)" 'BEGIN{printf "%.1f", b-a}')
  cp "$g.out" "$t/want"
  if [ -e "$g.norm" ]; then
    while read -r kind rest; do
      case $kind in
        keep) for f in out want; do grep -E -- "$rest" "$t/$f" > "$t/x"; mv "$t/x" "$t/$f"; done;;
        drop) for f in out want; do grep -vE -- "$rest" "$t/$f" > "$t/x"; mv "$t/x" "$t/$f"; done;;
        sort) for f in out want; do sort "$t/$f" > "$t/x"; mv "$t/x" "$t/$f"; done;;  # directory order is the host's there, by name here
        '2>&1') cat "$t/err" >> "$t/out";;
        s/*) for f in out want; do sed -E "$kind $rest" "$t/$f" > "$t/x"; mv "$t/x" "$t/$f"; done;;
      esac
    done < "$g.norm"
  fi
  local want; want=$(cat "$g.rc")
  if [ "$rc" = "$want" ] && cmp -s "$t/out" "$t/want"; then echo "ok $n ${s}s"
  else
    echo "FAILED $n ${s}s: status $rc, expected $want$(cmp -s "$t/out" "$t/want" || echo '; output differs')"
    diff "$t/want" "$t/out" | head -5 | cut -c1-200 | sed 's/^/    /'
    tail -3 "$t/err" | cut -c1-300 | sed 's/^/    stderr: /'
  fi
  rm -rf "$t"
}
export -f one; export here root armvdso
if [ $# -gt 0 ]; then names=("$@"); else
  mapfile -t names < <(awk -F'\t' -v t="$tier" -v m="$most" '!/^#/ && $1!="name" && $2<=t && $3<=m {print $1}' "$here/pool/pool.tsv")
fi
printf '%s\n' "${names[@]}" | xargs -P "$jobs" -I{} bash -c 'one {}' |
  awk '{print; fflush()} /^ok /{p++} /^FAILED /{f++} END{printf "%d passed, %d failed\n", p, f; exit f>0}'

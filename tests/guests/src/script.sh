# A script of loops, functions, here-documents, arithmetic and pipes between built-ins.
# It calls no program, so that any shell on any system gives the same output.
fact() {
  if [ "$1" -le 1 ]; then echo 1; else
    p=$(fact $(($1 - 1)))
    echo $(($1 * p))
  fi
}
for i in 1 2 3 4 5 6; do
  echo "fact $i = $(fact $i)"
done
fib() {
  a=0 b=1 n=$1
  while [ "$n" -gt 0 ]; do
    c=$((a + b)) a=$b b=$c n=$((n - 1))
  done
  echo "$a"
}
echo "fib 30 = $(fib 30)"
count=0
while read -r line; do
  count=$((count + 1))
  case $line in
    '#'*) echo "comment: $line" ;;
    *=*) echo "assignment: ${line%%=*} is ${line#*=}" ;;
    '') echo "empty" ;;
    *) echo "words: $line" ;;
  esac
done <<END
# a comment
name=value
two words

last=1=2
END
echo "$count lines"
{
  echo one
  echo two
  echo three
} | while read -r w; do
  echo "piped $w"
done
total=0
i=0
until [ $i -ge 50 ]; do
  i=$((i + 1))
  if [ $((i % 3)) -eq 0 ]; then continue; fi
  if [ $i -gt 40 ]; then break; fi
  total=$((total + i))
done
echo "total $total"
s=abcdefghij
while [ -n "$s" ]; do
  printf '%s.' "${s%"${s#?}"}"
  s=${s#?}
done
echo
(
  x=inner
  echo "subshell $x"
  exit 7
)
echo "status $?"
x=outer
f() {
  echo "args $# first $1 all $*"
  shift
  [ $# -gt 0 ] && f "$@"
  return 3
}
f a b c
echo "returned $?"
set -- alpha beta gamma
for w; do echo "positional $w ${#w}"; done
echo "$((0x1f + 010 - 3 * (7 - 2) % 4)) $((1 << 20 | 5)) $((-7 / 2)) $((5 > 3 && 2 < 1))"
printf '%05d|%-6s|%x|%o\n' 42 ab 255 8
echo "${undefined:-default} ${x:+set} ${#x}"
cat_() { while IFS= read -r l; do printf '%s\n' "$l"; done; }
cat_ <<'RAW' | cat_ | cat_
no $expansion `here` \n
  spaces kept
RAW
trap 'echo "trap at exit"' EXIT
trap 'echo "got USR1"' USR1
kill -USR1 $$
nested() {
  for a in 1 2 3; do
    for b in 1 2 3; do
      [ "$a" = "$b" ] && continue 2
      echo "$a-$b"
    done
  done
}
nested
v=$(
  echo first
  (echo second; (echo third))
)
echo "$v"
set +e
false
echo "false gives $?"
! true
echo "not true gives $?"
eval 'y=5; echo "eval $((y * y))"'
echo done | { read -r z; echo "read $z"; }
exit 42

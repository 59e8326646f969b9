# A long script of many short processes, as builds and package managers run them: bash-static with busybox.
# Usage: bash-static workload.sh [ROUNDS]
n=${1:-40}
i=0
total=0
while [ $i -lt $n ]; do
  busybox echo "line $i of $n" > /tmp/f
  busybox cat /tmp/f | busybox sed 's/line/row/' | busybox tr a-z A-Z > /tmp/g
  total=$((total + $(busybox wc -c < /tmp/g)))
  [ "$(busybox id -u)" = 0 ] || echo "not root"
  busybox test -f /tmp/g && busybox rm /tmp/g
  i=$((i + 1))
done
busybox date -u -d @0 +%Y
echo "$total bytes"

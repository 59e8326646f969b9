set -e
f() { local i=$1; if [ "$i" -le 1 ]; then echo 1; else echo $(( $i * $(f $((i-1))) )); fi; }
echo fact $(f 10); i=0; s=0; while [ $i -lt 2000 ]; do s=$((s + i * i % 7)); i=$((i+1)); done; echo sum $s
cat <<E | sed 's/b/B/' | sort -r | tr a-z A-Z
here doc b
second $((6*7))
E
trap 'echo trapped USR1' USR1; kill -USR1 $$; trap 'echo bye' EXIT
(sleep 0.05; exit 7) & p=$!; wait $p || echo child $?
x=$(printf '%s\n' c a b | sort | tr '\n' ' '); echo "[$x]"; case abc in a*) echo glob;; esac; for w in one "two three"; do echo "<$w>"; done
echo $(cd /opt/pool && ls *.txt) ; set -- a b c; shift; echo $# $*; echo ${x%% *} ${x#* }; mkdir -p /tmp/q && echo data > /tmp/q/f && [ -f /tmp/q/f ] && read v < /tmp/q/f && echo $v; exec 3>/tmp/q/g; echo to3 >&3; exec 3>&-; cat /tmp/q/g; rm -r /tmp/q; (exit 3) || echo sub $?

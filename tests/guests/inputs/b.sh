declare -A m; while read -r w; do m[${w:0:1}]=$(( ${m[${w:0:1}]:-0} + 1 )); done < <(head -2000 /opt/pool/words.txt)
for k in $(printf '%s\n' "${!m[@]}" | sort); do printf '%s=%d ' "$k" "${m[$k]}"; done; echo
a=(5 3 9 1); IFS=$'\n' s=($(sort -n <<<"${a[*]}")); unset IFS; echo "${s[@]}" "${#s[@]}"; [[ abc123 =~ ([a-z]+)([0-9]+) ]] && echo "${BASH_REMATCH[2]}-${BASH_REMATCH[1]}"
coproc C { while read -r l; do echo "co:$l"; done; }; echo x >&${C[1]}; read -r r <&${C[0]}; echo "$r"; eval "exec ${C[1]}>&-"; wait
printf '%(%Y-%m-%d)T %q %x\n' 0 'a b' 255; echo $((16#ff)) $((2**40)) ${RANDOM:+r}; f() { return 4; }; f || echo rc $?; trap 'echo usr2' USR2; kill -USR2 $$; echo {1..3}{a,b}; ( ulimit -n 64; ulimit -n ); mapfile -t L < /opt/pool/words.txt; echo ${#L[@]}; x=hello; echo ${x^^} ${x/l/L} ${x:1:3}; timeout 0.2 sleep 5; echo t $?

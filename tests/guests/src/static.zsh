typeset -A m; m=(a 1 b 2 c 3); print ${(ok)m} ${(ov)m}; a=(3 1 2 10); print ${(n)a} ${#a} ${(j:-:)a}
print $((2**0.5)) $((0x1f * 3 % 7)); f() { local i; for i in {1..200}; do (( s += i * i )); done; print $s }; f
[[ foobar = (#b)(foo)(*) ]] && print $match; print ${(U)m[a]}x ${(l:8::0:)s}; s=hello; print ${s/l(#e)/L} ${s[2,4]} ${(C)s}
for ((i = 0; i < 300; i++)); do x=$x${(#):-$((97 + i % 26))}; done; print ${#x} ${x[-5,-1]}
print -l one two | while read w; do print "<$w>"; done; print $(print nested $(print deeper)); exit 3

proc fib n {expr {$n < 2 ? $n : [fib [expr {$n-1}]] + [fib [expr {$n-2}]]}}
puts "fib [fib 16]"
set f [open /opt/pool/words.txt]; set n 0; while {[gets $f l] >= 0} {if {[regexp {^ba.*o$} $l]} {incr n}}; puts $n
puts [lsort -integer {5 3 9 1}] ; puts [clock format 0 -gmt 1] ; puts [expr {2**100}] ; puts [exec echo from exec] ; after 10 {set done 1} ; vwait done ; puts done

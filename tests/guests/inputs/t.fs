: fib dup 2 < if exit then dup 1- recurse swap 2 - recurse + ;
20 fib . cr : sq 10 0 do i i * . loop ; sq cr 355e 113e f/ f. cr bye

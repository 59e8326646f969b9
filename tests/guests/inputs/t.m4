define(`fact', `ifelse($1, 0, 1, `eval($1 * fact(decr($1)))')')fact(10)
define(`loop', `$1 ifelse($1, $2, , `loop(incr($1), $2)')')loop(1, 20)
len(`abcdef') index(`hello', `l') translit(`hello', `a-y', `b-z')

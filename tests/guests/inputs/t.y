%{
#include <stdio.h>
int yylex(void); void yyerror(const char *s) { puts(s); }
%}
%token NUM
%left '+'
%left '*'
%%
l: | l e '\n' { printf("%d\n", $2); };
e: NUM | e '+' e { $$ = $1 + $3; } | e '*' e { $$ = $1 * $3; };
%%
int main(void) { return yyparse(); }

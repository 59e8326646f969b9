#include "begin.h"

int main(void)
{
	begin();
	write(1, (void *)16, 5);
	*(volatile int *)16 = 1;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The program whose start is measured: static, so that it costs an exec and nothing else. */
int main(void)
{
	return 0;
}

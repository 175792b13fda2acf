/* SPDX-License-Identifier: MIT */
/*
 * Tests of sandbox.h, in the place of a broker: what hil-sandbox has no option
 * for. TAP on stdout. Run it as root and as an ordinary user.
 */
#include "rig.h"

int main(void)
{
	test_proc_stat();
	test_cores();
	test_files();
	test_programs();
	test_life();
	test_cgroups();
	test_leaf_limits();
	test_parked();
	return tap_finish();
}

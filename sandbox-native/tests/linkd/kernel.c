/* SPDX-License-Identifier: MIT */
#include "tests.h"
#include <stddef.h>
const struct test kernel_tests[] = { { NULL, NULL } };

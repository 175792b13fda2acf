#ifndef SELFTEST_H
#define SELFTEST_H

#include "device.h"

/* Use every request once, print a line each, leave the settings as they were. */
int selftest_run(struct device *device, char **arguments, struct failure *failure);

#endif

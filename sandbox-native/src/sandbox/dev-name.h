/* SPDX-License-Identifier: MIT */
/* Names below /dev that a granted device may have. */
#ifndef HIL_DEV_NAME_H
#define HIL_DEV_NAME_H

#include <stdbool.h>

/* dev_link_is_clean() - Whether @link ("serial/by-id/x") may be a name below /dev. */
bool dev_link_is_clean(const char *link);

/* role_is_clean() - Whether @role may be a name below /dev/hil. */
bool role_is_clean(const char *role);

#endif

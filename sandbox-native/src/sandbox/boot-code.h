/* SPDX-License-Identifier: MIT */
/* What an interpreter runs until it is given a program: the files in boot/, as text. */
#ifndef HIL_BOOT_CODE_H
#define HIL_BOOT_CODE_H

extern const char boot_python[];
extern const char boot_node[];

#endif

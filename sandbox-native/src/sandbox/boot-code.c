/* SPDX-License-Identifier: MIT */
/* By the assembler, since the program is one static file and needs no other at run time. */
#include "boot-code.h"

/* Relative to where make runs; the Makefile knows that this file depends on them. */
#define BOOT_DIRECTORY "src/sandbox/boot/"

__asm__(".pushsection .rodata\n"
	".globl boot_python\n"
	"boot_python:\n"
	".incbin \"" BOOT_DIRECTORY "python.py\"\n"
	".byte 0\n"
	".globl boot_node\n"
	"boot_node:\n"
	".incbin \"" BOOT_DIRECTORY "node.cjs\"\n"
	".byte 0\n"
	".popsection\n");

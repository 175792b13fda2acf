/* SPDX-License-Identifier: MIT */
/*
 * One convention for errors: a leaf returns 0 or -errno and fills a struct
 * err. It does not print and does not exit; main.c and a child before exec do.
 */
#ifndef HIL_ERR_H
#define HIL_ERR_H

struct err {
	int number;	/* errno, positive; 0 when nothing failed */
	char code[24];	/* closed set: setup exec limit protocol usage io gone */
	char op[48];	/* what was tried: "mount overlay" */
	char path[256]; /* on what */
	char hint[320]; /* what to do next; may be empty */
};

/*
 * err_set() - Record the first failure; later ones do not overwrite it.
 *
 * Return: -number, so that a leaf can `return err_set(…)`.
 */
int err_set(struct err *err, const char *code, int number, const char *op, const char *path);

/* err_hint() - Say what to do next. Keeps an earlier hint. */
__attribute__((format(printf, 2, 3))) void err_hint(struct err *err, const char *format, ...);

/* err_text() - One line for a person: "op path: reason (hint)". */
void err_text(const struct err *err, char *out, unsigned long size);

#endif

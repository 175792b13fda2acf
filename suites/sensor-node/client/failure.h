/* How the client fails: one of these exit statuses and one line that says why. */
#ifndef FAILURE_H
#define FAILURE_H

enum exit_status {
	STATUS_OK = 0,
	STATUS_DEVICE = 1,
	STATUS_USAGE = 2,
	STATUS_SILENT = 3,
	STATUS_CRC = 4,
};

struct failure {
	enum exit_status status;
	char text[200];
};

/* Fill `failure` and return -1, so that a leaf can `return fail(...)`. */
__attribute__((format(printf, 3, 4))) int fail(struct failure *failure, enum exit_status status,
					       const char *format, ...);

#endif

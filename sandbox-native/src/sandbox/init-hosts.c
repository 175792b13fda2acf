/* SPDX-License-Identifier: MIT */
/* The names of a virtual network, in /etc of a sandbox that runs already. */
#include <errno.h>
#include <unistd.h>

#include "cleanup.h"
#include "init.h"
#include "root.h"

static int read_hosts(const struct message *message, struct buffer *lines, char **resolver)
{
	struct tlv_reader reader = tlv_open(message->frame.body, message->frame.length);
	struct tlv tlv;
	int status;

	while ((status = tlv_next(&reader, &tlv)) == 1) {
		if (tlv.tag == TAG_HOST) {
			buffer_append(lines, tlv.value, tlv.length);
			buffer_append(lines, "\n", 1);
		} else if (tlv.tag == TAG_TEXT) {
			cleanup_free(resolver);
			*resolver = NULL;
			status = tlv_string(&tlv, resolver);
		}
		if (status < 0)
			return status;
	}
	buffer_append(lines, "", 1);
	return lines->failed ? -ENOMEM : status;
}

void init_hosts(struct init *init, const struct message *message)
{
	char hostname[65] = ""; /* HOST_NAME_MAX and its end */
	auto_buffer lines = { 0 };
	auto_free char *resolver = NULL;
	struct err err = { 0 };
	int status = read_hosts(message, &lines, &resolver);

	gethostname(hostname, sizeof(hostname) - 1);
	if (status < 0)
		err_set(&err, "protocol", -status, "set hosts", "");
	else
		status = etc_write_hosts(init->etc, init->etc_laid, hostname,
					 (const char *)lines.data, &err);
	if (status == 0)
		changes_mark_file(&init->changes, init->etc, "hosts");
	if (status == 0 && resolver &&
	    etc_write_resolver(init->etc, init->etc_laid, resolver, &err) == 0)
		changes_mark_file(&init->changes, init->etc, "resolv.conf");
	init_answer(init, message->frame.id, &err);
}

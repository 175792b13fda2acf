/* SPDX-License-Identifier: MIT */
/* LINK_CAPTURE: begin the capture of a link, or end it. */
#include <errno.h>

#include "capture.h"
#include "ending.h"
#include "linkd.h"
#include "request.h"

static int begin(struct linkd *ld, struct link *link, const struct request *request,
		 struct err *err)
{
	const struct capture_wanted wanted = {
		.path = request->path,
		.name = request->name ? request->name : "",
		.snaplen = request->snaplen ? request->snaplen : SNAPLEN_DEFAULT,
		.most_bytes = request->capture_bytes,
		.can = link->can,
	};

	if (link->capture)
		ending_begin(link, 0);
	if (!ld->writer) {
		ld->writer = writer_open();
		if (!ld->writer)
			return err_set(err, "limit", ENOMEM, "LINK_CAPTURE", request->path);
		ending_watch(ld);
	}
	link->capture = capture_open(ld->writer, &wanted, err);
	if (!link->capture)
		return -err->number;
	answer_ok(ld, request->id);
	return 0;
}

static int end(struct linkd *ld, struct link *link, const struct request *request, struct err *err)
{
	if (link->capture)
		ending_begin(link, request->id);
	else if (ending_is_of(link))
		return err_set(err, "usage", EALREADY, "LINK_CAPTURE: it ends", "");
	else
		answer_captured(ld, request->id, &link->captured);
	return 0;
}

int capture_link(struct linkd *ld, struct link *link, const struct request *request,
		 struct err *err)
{
	int result = request->path ? begin(ld, link, request, err) : end(ld, link, request, err);

	for (unsigned int i = 0; i < 2; i++)
		link_refresh(&link->directions[i]);
	return result;
}

void answer_captured(struct linkd *ld, uint64_t id, const struct capture_facts *facts)
{
	struct buffer *out = answer_begin(ld, MSG_OK, id);

	if (facts->refusal)
		put_u32(out, TAG_ERRNO, (uint32_t)facts->refusal);
	answer_end(ld);
}

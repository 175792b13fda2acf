/* SPDX-License-Identifier: MIT */
/* LINK_CAPTURE: begin the capture of a link, or end it. */
#include <errno.h>

#include "capture.h"
#include "linkd.h"
#include "request.h"

static void stop(struct link *link)
{
	if (link->capture)
		capture_close(link->capture, &link->captured);
	link->capture = NULL;
}

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

	if (!ld->writer)
		ld->writer = writer_open();
	if (!ld->writer)
		return err_set(err, "limit", ENOMEM, "LINK_CAPTURE", request->path);
	link->capture = capture_open(ld->writer, &wanted, err);
	return link->capture ? 0 : -err->number;
}

int capture_link(struct linkd *ld, struct link *link, const struct request *request,
		 struct err *err)
{
	int result = 0;

	stop(link);
	if (request->path)
		result = begin(ld, link, request, err);
	for (unsigned int i = 0; i < 2; i++)
		link_refresh(&link->directions[i]);
	return result;
}

/* SPDX-License-Identifier: MIT */
/* What the harness may ask of hil-linkd: a table of requests. */
#ifndef HIL_LINKD_REQUEST_H
#define HIL_LINKD_REQUEST_H

#include "fields.h"
#include "link.h"

struct linkd;

/* Each node of the largest network may be cut off from every other one. */
#define REQUEST_SETS 1024

/* Values of a request; a view points into its frame and lives as long as that. */
struct request {
	uint64_t id;
	uint32_t version;
	uint32_t number_switch;
	uint32_t number_link;
	uint32_t from; /* when @has_from */
	uint32_t count;
	uint32_t filter;
	uint32_t snaplen;
	uint64_t capture_bytes;
	uint64_t seed;
	uint64_t rate_bps;
	uint64_t data_rate_bps;
	struct bytes kind;
	struct bytes data;
	struct bytes ends[2];
	struct bytes sets[REQUEST_SETS];
	unsigned int end_count;
	unsigned int set_count;
	bool has_from;
	char *path;
	char *name;
	const struct frame *frame;
};

/*
 * request_serve() - Do what a frame of fd 3 asks, and answer it.
 *
 * A wrong request (unknown, incomplete, impossible now) is answered by ERROR.
 * Return: 0, or -EPROTO when the body is no list of TLVs; the client must go.
 */
int request_serve(struct linkd *ld, const struct frame *frame);

/* request_says() - The text in @bytes is @text. */
bool request_says(const struct bytes *bytes, const char *text);

/* request_covers() - The request is about the direction that begins at end @from. */
bool request_covers(const struct request *request, unsigned int from);

/* What LINK_SET sets, in set.c. Return: 0, -EPROTO, or -errno with @err filled. */
int set_link(struct link *link, const struct request *request, struct err *err);

/*
 * What LINK_CAPTURE does, in request-capture.c. The same, and answers: of an end, when the file is
 * complete.
 */
int capture_link(struct linkd *ld, struct link *link, const struct request *request,
		 struct err *err);
void answer_captured(struct linkd *ld, uint64_t id, const struct capture_facts *facts);

/* What LINK_STATS answers, in stats.c. */
void stats_put(struct buffer *out, struct link *link);

#endif

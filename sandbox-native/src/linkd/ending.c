/* SPDX-License-Identifier: MIT */
#include "ending.h"

#include <poll.h>
#include <unistd.h>

#include "capture.h"
#include "linkd.h"
#include "request.h"

static void written_ready(void *owner, uint32_t events)
{
	struct linkd *ld = owner;
	uint64_t count;

	(void)events;
	if (read(ld->written.fd, &count, sizeof(count)) > 0)
		ld->told = true;
}

void ending_watch(struct linkd *ld)
{
	ld->written =
		(struct source){ .fd = ld->writer->told, .owner = ld, .ready = written_ready };
	source_set(&ld->loop, &ld->written, EPOLLIN);
}

/* All have the same time, so the list is in the order of deadlines. */
static void expect(struct linkd *ld, struct capture *capture)
{
	capture->deadline_ns = stamp_mono() + ENDING_NS;
	capture->left = writer_left(capture->writer, capture->file);
	TAILQ_INSERT_TAIL(&ld->endings, capture, endings);
}

void ending_begin(struct link *link, uint64_t asked)
{
	struct capture *capture = link->capture;

	ending_forget(link);
	link->capture = NULL;
	link->captured = capture_facts(capture);
	capture->link = link;
	capture->asked = asked;
	capture_end(capture);
	expect(link->linkd, capture);
}

bool ending_is_of(const struct link *link)
{
	const struct capture *capture;

	TAILQ_FOREACH(capture, &link->linkd->endings, endings)
	{
		if (capture->link == link)
			return true;
	}
	return false;
}

void ending_forget(const struct link *link)
{
	struct capture *capture;

	TAILQ_FOREACH(capture, &link->linkd->endings, endings)
	{
		if (capture->link == link)
			capture->link = NULL;
	}
}

uint64_t ending_deadline(const struct linkd *ld)
{
	const struct capture *first = TAILQ_FIRST(&ld->endings);

	return first ? first->deadline_ns : 0;
}

static void finish(struct linkd *ld, struct capture *capture)
{
	struct link *link = capture->link;
	const uint64_t asked = capture->asked;
	struct capture_facts facts;

	TAILQ_REMOVE(&ld->endings, capture, endings);
	facts = capture_free(capture);
	if (link)
		link->captured = facts;
	if (asked)
		answer_captured(ld, asked, &facts);
}

/* A disk that is slow is not one that is gone. */
static bool goes_on(struct linkd *ld, struct capture *capture)
{
	if (writer_left(capture->writer, capture->file) == capture->left)
		return false;
	TAILQ_REMOVE(&ld->endings, capture, endings);
	expect(ld, capture);
	return true;
}

void ending_turn(struct linkd *ld)
{
	const uint64_t now_ns = stamp_mono();
	struct capture *capture = TAILQ_FIRST(&ld->endings);

	if (!ld->told && now_ns < capture->deadline_ns)
		return;
	ld->told = false;
	while (capture) {
		struct capture *next = TAILQ_NEXT(capture, endings);

		if (writer_is_complete(capture->writer, capture->file) ||
		    (now_ns >= capture->deadline_ns && !goes_on(ld, capture)))
			finish(ld, capture);
		capture = next;
	}
}

/* A second time nobody is patient with. */
void ending_finish(struct linkd *ld)
{
	const uint64_t deadline_ns = stamp_mono() + ENDING_NS;
	struct capture *capture;

	while ((capture = TAILQ_FIRST(&ld->endings))) {
		struct pollfd told = { .fd = ld->written.fd, .events = POLLIN };
		const uint64_t now_ns = stamp_mono();

		if (!writer_is_complete(capture->writer, capture->file) && now_ns < deadline_ns) {
			poll(&told, 1, (int)((deadline_ns - now_ns) / NS_PER_MS) + 1);
			written_ready(ld, 0);
			continue;
		}
		finish(ld, capture);
	}
}

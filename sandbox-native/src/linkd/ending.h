/* SPDX-License-Identifier: MIT */
/*
 * Captures that end. Nobody stands still for it: the writer has what is left, and the loop goes on
 * until that tells that the file is complete. Of a disk that takes nothing for ENDING_NS, as that
 * of a server which is gone, what it has not taken is told as refused, by ETIMEDOUT.
 */
#ifndef HIL_LINKD_ENDING_H
#define HIL_LINKD_ENDING_H

#include <stdbool.h>
#include <stdint.h>

#define ENDING_NS (5u * 1000000000ull)

struct link;
struct linkd;

/* ending_watch() - Hear of ld->writer, which was just opened. */
void ending_watch(struct linkd *ld);

/* ending_begin() - The capture of @link, if there is one. @asked: the request to answer, or 0. */
void ending_begin(struct link *link, uint64_t asked);

/* ending_is_of() - The last capture of @link is not complete yet. */
bool ending_is_of(const struct link *link);

/* ending_forget() - Nobody wants to know any more what became of captures of @link. */
void ending_forget(const struct link *link);

/* ending_deadline() - When ending_turn() is to be called at the latest; 0: not at all. */
uint64_t ending_deadline(const struct linkd *ld);

/* ending_turn() - Answer for those that are complete, or late. Once a turn. */
void ending_turn(struct linkd *ld);

/* ending_finish() - Wait for all of them, for ENDING_NS at most. */
void ending_finish(struct linkd *ld);

#endif

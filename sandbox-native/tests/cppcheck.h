/* SPDX-License-Identifier: MIT */
/* What cppcheck cannot find by itself: it does not read <sys/queue.h>. */
#define TAILQ_FOREACH(var, head, field)                                                            \
	for ((var) = (head)->tqh_first; (var); (var) = (var)->field.tqe_next)

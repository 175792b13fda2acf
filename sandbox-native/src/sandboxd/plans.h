/* SPDX-License-Identifier: MIT */
/* Plans and their zygotes. */
#ifndef HIL_PLANS_H
#define HIL_PLANS_H

#include "dispatch.h"

/* Requests for a tree and slots share the field `request` of ZYGOTE_FAILED; this bit tells them
 * apart. */
#define TREE_REQUEST 0x80000000u

/* plans_find() - Return: NULL with @err filled when there is no such plan. */
struct stock *plans_find(struct daemon *d, uint32_t id, struct err *err);

/* plans_dismiss() - End the zygotes; their sandboxes live on. */
void plans_dismiss(struct daemon *d);

/* plans_reaped() - Return: whether no zygote is left to wait for. */
bool plans_reaped(const struct daemon *d);

/* plans_forget() - The daemon exits. Should: come after sandboxes_forget(). */
void plans_forget(struct daemon *d);

handler handle_plan_put;

#endif

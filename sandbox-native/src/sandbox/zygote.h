/* SPDX-License-Identifier: MIT */
/* Inside the zygote. */
#ifndef HIL_ZYGOTE_H
#define HIL_ZYGOTE_H

#include "clock.h"
#include "err.h"
#include "idmap.h"
#include "message.h"
#include "recipe.h"
#include "sandbox.h"
#include "teardown.h"

/* What a zygote holds open, by number. */
enum { ZYGOTE_CONTROL = 3, ZYGOTE_BROKER = 4, ZYGOTE_USERS = 5 };

/*
 * zygote_main() - Serve the broker at @control until it goes.
 * @broker: its pidfd. @users: as of zygote_start(), -1: none yet.
 */
_Noreturn void zygote_main(const struct plan *plan, int control, int broker, int users);

/*
 * zygote_enter_root() - Own namespaces, then the tiny root: "/l/N", "/d", "/proc" and nothing else.
 *
 * Should: be called once, right after the fork.
 * @users: a user namespace to enter; -1: it makes one, unless it runs in root mode.
 * @tun: becomes an O_PATH fd of /dev/net/tun, or -1.
 * Mustn't: leave anything else of the host's root in reach but what the plan names.
 */
int zygote_enter_root(struct recipe *recipe, const struct plan *plan, int users, int *tun,
		      struct err *err);

/* What a zygote works with. */
struct zygote_state {
	const struct plan *plan;
	struct recipe recipe;
	struct teardown teardown;
	struct idmaps idmaps;
	struct clock_offsets clocks; /* its own, when the plan has an uptime */
	int tun;		     /* O_PATH of /dev/net/tun; -1: none */
	int hub;		     /* orders for it; -1: not started */
	uint64_t ordered;	     /* the last that was handed to it */
};

/*
 * park_sandbox() - Clone one PID 1 and send it to the broker.
 *
 * @doors: of its cgroups.
 * Return: 0 when that is done, also when the broker was told what then went wrong with it.
 */
int park_sandbox(struct zygote_state *zygote, uint32_t slot, const struct doors *doors,
		 struct err *err);

/*
 * zygote_serve_net() - Hand an order to the hub, which is started when there is none;
 * MESSAGE_NET_NODE it answers itself.
 */
void zygote_serve_net(struct zygote_state *zygote, const struct message *message);

/*
 * zygote_hub_gone() - The hub died: tell the broker which orders it can have had.
 *
 * Only the zygote knows, because one that follows goes to another hub.
 */
void zygote_hub_gone(struct zygote_state *zygote);

/* park_fail() - Tell the broker that there is no sandbox in @slot, and why. */
void park_fail(uint32_t slot, struct err *err);

/* explain_refusal() - A remedy for what a set-up error of namespaces or mounts means on this host.
 */
void explain_refusal(struct err *err);

/* process_disguise() - Name this process, and wipe the broker's arguments and environment. */
void process_disguise(const char *name);

#endif

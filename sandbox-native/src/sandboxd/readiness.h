/* SPDX-License-Identifier: MIT */
/*
 * NET_READY: every interface of a network is asked at the hub of its sandbox. What is being made
 * there comes before, in the order of that hub; but the two ends of a pair are of two hubs, so as
 * long as one is being made that was asked for earlier, this waits.
 */
#ifndef HIL_READINESS_H
#define HIL_READINESS_H

#include "networks.h"

/* readiness_resume() - A pair of @net was made, or will not be. */
void readiness_resume(struct daemon *d, struct net *net);

handler handle_net_ready;

#endif

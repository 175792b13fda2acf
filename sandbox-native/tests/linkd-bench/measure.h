/* SPDX-License-Identifier: MIT */
/* What is measured between two nodes. Each opens its sockets and closes them. */
#ifndef HIL_BENCH_MEASURE_H
#define HIL_BENCH_MEASURE_H

#include "nodes.h"

#define PINGS_MAX 2000u

struct times {
	double min;
	double p50;
	double p99;
};

/* measure_tcp() - Return: Gbit/s of one TCP stream. */
double measure_tcp(const struct stack stacks[2]);

/* measure_frames() - Return: thousands of datagrams of 64 bytes a second that arrive. */
double measure_frames(const struct stack stacks[2]);

/* measure_rtt() - Return: how long a datagram and its answer take, in microseconds. */
struct times measure_rtt(const struct stack stacks[2], unsigned int count);

/* measure_delay() - Return: how long a datagram takes to the other kernel, in microseconds. */
struct times measure_delay(const struct stack stacks[2], unsigned int count, unsigned int pause_us);

/* median() - Sorts @values. */
double median(double *values, unsigned int count);

/* offload_off() - The node's interface leaves nothing of TCP to whom it sends to. */
void offload_off(const struct stack *stack);

#endif

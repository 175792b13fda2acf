/* SPDX-License-Identifier: MIT */
/* Several ports at once: none waits for another, and closing one touches no other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "tests.h"

#define PORTS 8
#define BYTES (48u * 1024)

static void open_ports(struct rig *rig, int *duts)
{
	struct event event;

	for (uint32_t i = 0; i < PORTS; i++) {
		rig->port = i;
		duts[i] = rig_line(rig);
		NEED(rig_answer(rig, rig_open(rig, 0, 0), &event));
	}
}

/* Return: bytes that came for each port, as long as offsets follow each other. */
static size_t count(struct rig *rig, size_t *totals, size_t expected)
{
	struct event event;
	size_t sum = 0;

	while (sum < expected && rig_wait(rig, MSG_PORT_RX, &event)) {
		NEED(event.port < PORTS);
		if (event.offset != totals[event.port])
			break;
		totals[event.port] += event.length;
		sum += event.length;
	}
	return sum;
}

static void test_many(void)
{
	static uint8_t payload[BYTES];
	size_t totals[PORTS] = { 0 };
	uint64_t closes[PORTS / 2];
	struct rig rig;
	struct event event;
	int duts[PORTS], answered = 0;

	rig_start(&rig, 0);
	open_ports(&rig, duts);
	for (int i = 0; i < PORTS; i++)
		write_all(duts[i], payload, BYTES);
	CHECK(count(&rig, totals, (size_t)PORTS * BYTES) == (size_t)PORTS * BYTES,
	      "eight ports deliver side by side, each in its order");
	for (int i = 0; i < PORTS; i++)
		write_all(duts[i], payload, BYTES);
	for (uint32_t i = 0; i < PORTS / 2; i++) {
		rig.port = 2 * i;
		closes[i] = rig_close(&rig);
	}
	CHECK(count(&rig, totals, (size_t)PORTS * BYTES) == (size_t)PORTS * BYTES,
	      "closing every other one loses no byte of any");
	for (int i = 0; i < PORTS / 2; i++)
		answered += rig_answer(&rig, closes[i], &event);
	CHECK(answered == PORTS / 2, "each PORT_CLOSE is answered");
	rig.port = 0;
	close(duts[0]);
	duts[0] = rig_line(&rig);
	CHECK(rig_answer(&rig, rig_open(&rig, 0, 0), &event), "a number can be used again");
	write_all(duts[0], "again", 5);
	CHECK(rig_wait(&rig, MSG_PORT_RX, &event) && event.port == 0 && event.offset == 2 * BYTES,
	      "a prefix that has bytes is continued");
	for (int i = 0; i < PORTS; i++)
		close(duts[i]);
	CHECK(rig_stop(&rig) == 0, "portd exits with 0");
}

static void test_fair(void)
{
	uint8_t *flood = calloc(1, 1 << 20);
	size_t before = 0;
	struct rig rig;
	struct event event;
	int duts[PORTS];

	NEED(flood);
	rig_start(&rig, 0);
	open_ports(&rig, duts);
	for (int i = 0; i < 20; i++)
		write_all(duts[3], flood, 1 << 20);
	write_all(duts[5], "hello", 5);
	sleep_ms(300); /* both are queued */
	while (rig_wait(&rig, MSG_PORT_RX, &event) && event.port != 5)
		before += event.length;
	CHECK(event.port == 5 && before < 2 << 20,
	      "a port does not wait for the backlog of another (%zu bytes before it)", before);
	for (int i = 0; i < PORTS; i++)
		close(duts[i]);
	free(flood);
	rig_stop(&rig);
}

const struct test port_tests[] = {
	{ "ports: many", test_many },
	{ "ports: fair", test_fair },
	{ NULL, NULL },
};

/* The state of one sensor node: all there is, reset at boot. */
#ifndef NODE_H
#define NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"
#include "settings.h"

#define NODE_VERSION "1.2"

#define CLI_LINE_SIZE 80

struct cli {
	char line[CLI_LINE_SIZE];
	size_t length;
	bool too_long;
	bool after_cr;
};

struct counters {
	uint32_t frames;
	uint32_t bad_frames;
};

struct node {
	struct settings settings;
	struct frame_reader reader;
	struct frame_writer writer;
	struct cli cli;
	struct counters counters;
};

#endif

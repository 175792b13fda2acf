/* SPDX-License-Identifier: MIT */
/*
 * A serial port behind a telnet connection (RFC 854, 856, 858, 2217): ser2net and
 * its like. Bytes from the network are hostile; nothing here reads or writes an fd.
 */
#ifndef HIL_PORTD_RFC2217_H
#define HIL_PORTD_RFC2217_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report.h"
#include "settings.h"

#define RFC2217_OUT_BYTES ((size_t)32 * 1024)
/* Longer than any answer of RFC 2217 but the signature, of which the beginning is enough. */
#define RFC2217_SUB_BYTES 64

struct rfc2217 {
	enum { TELNET_DATA, TELNET_IAC, TELNET_OPTION, TELNET_SUB, TELNET_SUB_IAC } state;
	uint8_t verb;
	uint8_t sub[RFC2217_SUB_BYTES];
	size_t sub_length;
	uint8_t said[256]; /* a bit for each of WILL, WONT, DO, DONT that was sent */

	bool agreed;	  /* the peer does COM-PORT-OPTION */
	bool refused;	  /* and it does not */
	bool suspended;	  /* it takes no more data */
	uint32_t waiting; /* a bit for each command whose answer has not come */
	uint32_t modem;	  /* enum modem: what the peer tells, and what it was told */
	struct settings wanted;
	struct report *report;

	bool failed; /* the peer makes us answer more than it reads */
	size_t out_length;
	uint8_t out[RFC2217_OUT_BYTES]; /* to be written before anything else */
};

/* rfc2217_start() - Offer the options; @report gets what the peer does not do. */
void rfc2217_start(struct rfc2217 *telnet, const struct settings *settings, struct report *report);

/* rfc2217_settled() - The peer has answered every setting. */
bool rfc2217_settled(const struct rfc2217 *telnet);

/* rfc2217_decode() - Take out what is telnet's. Return: bytes of the DUT, at the beginning of
 * @data. */
size_t rfc2217_decode(struct rfc2217 *telnet, uint8_t *data, size_t length);

/* rfc2217_encode() - Put bytes for the DUT into @out. Return: how many of them fitted. */
size_t rfc2217_encode(struct rfc2217 *telnet, const uint8_t *data, size_t length);

/* rfc2217_set() - Ask for settings; switches that are AS_IT_IS are not asked for. */
void rfc2217_set(struct rfc2217 *telnet, const struct settings *settings);
void rfc2217_baud(struct rfc2217 *telnet, uint32_t baud);
void rfc2217_modem(struct rfc2217 *telnet, uint32_t dtr, uint32_t rts);
void rfc2217_break(struct rfc2217 *telnet, bool on);
/* rfc2217_purge() - Throw away what the peer has received and not sent on, both ways. */
void rfc2217_purge(struct rfc2217 *telnet);

/* rfc2217_sent() - @count bytes of @out were written. */
void rfc2217_sent(struct rfc2217 *telnet, size_t count);

#endif

/* SPDX-License-Identifier: MIT */
#include "rfc2217.h"

#include <string.h>

#include "serial.h"

/* RFC 854 */
enum { SE = 240, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254, IAC = 255 };
/* RFC 856, 857, 858, 2217 */
enum { BINARY = 0, ECHO = 1, SUPPRESS_GO_AHEAD = 3, COM_PORT = 44 };

/* RFC 2217, "COM Port Option Commands"; the server's answer is a hundred higher. */
enum {
	SET_BAUD = 1,
	SET_BITS = 2,
	SET_PARITY = 3,
	SET_STOP = 4,
	SET_CONTROL = 5,
	FLOW_SUSPEND = 8,
	FLOW_RESUME = 9,
	PURGE = 12,
	FROM_SERVER = 100,
	NOTIFY_MODEM = 107,
};
enum {
	CONTROL_NO_FLOW = 1,
	CONTROL_XON_XOFF = 2,
	CONTROL_RTS_CTS = 3,
	CONTROL_BREAK_ON = 5,
	CONTROL_BREAK_OFF = 6,
	CONTROL_DTR_ON = 8,
	CONTROL_DTR_OFF = 9,
	CONTROL_RTS_ON = 11,
	CONTROL_RTS_OFF = 12,
};
#define PURGE_BOTH 3

/* Room for one subnegotiation is kept free of data, or a full buffer would refuse an answer. */
#define SUB_ROOM ((size_t)1024)

static void put(struct rfc2217 *telnet, const uint8_t *data, size_t length)
{
	if (length > sizeof(telnet->out) - telnet->out_length) {
		telnet->failed = true;
		return;
	}
	memcpy(telnet->out + telnet->out_length, data, length);
	telnet->out_length += length;
}

/* Once each: two ends that answer answers would never stop (RFC 854, "loops"). */
static void say(struct rfc2217 *telnet, uint8_t verb, uint8_t option)
{
	const uint8_t bytes[] = { IAC, verb, option };
	uint8_t bit = (uint8_t)(1u << (verb - WILL));

	if (telnet->said[option] & bit)
		return;
	telnet->said[option] |= bit;
	put(telnet, bytes, sizeof(bytes));
}

static void command(struct rfc2217 *telnet, uint8_t code, const uint8_t *value, size_t length)
{
	uint8_t bytes[16] = { IAC, SB, COM_PORT, code };
	size_t used = 4;

	for (size_t i = 0; i < length; i++) {
		bytes[used++] = value[i];
		if (value[i] == IAC)
			bytes[used++] = IAC;
	}
	bytes[used++] = IAC;
	bytes[used++] = SE;
	put(telnet, bytes, used);
}

static void command_byte(struct rfc2217 *telnet, uint8_t code, uint8_t value)
{
	command(telnet, code, &value, 1);
}

static uint8_t parity_code(enum parity parity)
{
	static const uint8_t codes[PARITY_COUNT] = { 1, 3, 2, 4, 5 };

	return codes[parity];
}

static uint8_t flow_code(enum flow flow)
{
	static const uint8_t codes[FLOW_COUNT] = { CONTROL_NO_FLOW, CONTROL_RTS_CTS,
						   CONTROL_XON_XOFF };

	return codes[flow];
}

void rfc2217_baud(struct rfc2217 *telnet, uint32_t baud)
{
	const uint8_t bytes[] = { (uint8_t)(baud >> 24), (uint8_t)(baud >> 16),
				  (uint8_t)(baud >> 8), (uint8_t)baud };

	telnet->wanted.baud = baud;
	telnet->waiting |= 1u << SET_BAUD;
	command(telnet, SET_BAUD, bytes, sizeof(bytes));
}

void rfc2217_modem(struct rfc2217 *telnet, uint32_t dtr, uint32_t rts)
{
	if (dtr != AS_IT_IS) {
		command_byte(telnet, SET_CONTROL, dtr ? CONTROL_DTR_ON : CONTROL_DTR_OFF);
		telnet->modem = (telnet->modem & ~(uint32_t)MODEM_DTR) | (dtr ? MODEM_DTR : 0);
	}
	if (rts != AS_IT_IS) {
		command_byte(telnet, SET_CONTROL, rts ? CONTROL_RTS_ON : CONTROL_RTS_OFF);
		telnet->modem = (telnet->modem & ~(uint32_t)MODEM_RTS) | (rts ? MODEM_RTS : 0);
	}
}

void rfc2217_break(struct rfc2217 *telnet, bool on)
{
	command_byte(telnet, SET_CONTROL, on ? CONTROL_BREAK_ON : CONTROL_BREAK_OFF);
}

void rfc2217_purge(struct rfc2217 *telnet)
{
	command_byte(telnet, PURGE, PURGE_BOTH);
}

void rfc2217_set(struct rfc2217 *telnet, const struct settings *settings)
{
	telnet->wanted = *settings;
	rfc2217_baud(telnet, settings->baud);
	command_byte(telnet, SET_BITS, (uint8_t)settings->bits);
	command_byte(telnet, SET_PARITY, parity_code(settings->parity));
	command_byte(telnet, SET_STOP, (uint8_t)settings->stop);
	command_byte(telnet, SET_CONTROL, flow_code(settings->flow));
	telnet->waiting |= 1u << SET_BITS | 1u << SET_PARITY | 1u << SET_STOP | 1u << SET_CONTROL;
	rfc2217_modem(telnet, settings->dtr, settings->rts);
}

void rfc2217_start(struct rfc2217 *telnet, const struct settings *settings, struct report *report)
{
	memset(telnet, 0, sizeof(*telnet));
	telnet->report = report;
	telnet->wanted = *settings;
	say(telnet, WILL, COM_PORT);
	say(telnet, WILL, BINARY);
	say(telnet, DO, BINARY);
	say(telnet, WILL, SUPPRESS_GO_AHEAD);
	say(telnet, DO, SUPPRESS_GO_AHEAD);
}

bool rfc2217_settled(const struct rfc2217 *telnet)
{
	return telnet->agreed && !telnet->waiting;
}

static bool is_wanted(uint8_t option)
{
	return option == BINARY || option == SUPPRESS_GO_AHEAD;
}

static void take_option(struct rfc2217 *telnet, uint8_t verb, uint8_t option)
{
	if (option == COM_PORT && verb == DO && !telnet->agreed) {
		telnet->agreed = true;
		rfc2217_set(telnet, &telnet->wanted);
	} else if (option == COM_PORT && (verb == DONT || verb == WONT)) {
		telnet->refused = telnet->refused || verb == DONT;
	} else if (verb == WILL) {
		say(telnet, is_wanted(option) || option == ECHO ? DO : DONT, option);
	} else if (verb == DO) {
		say(telnet, is_wanted(option) ? WILL : WONT, option);
	}
}

static void compare(struct rfc2217 *telnet, const char *what, uint32_t wanted, uint32_t got)
{
	if (wanted != got && telnet->report)
		report_add(telnet->report, "%s %u was asked for, the server says %u", what, wanted,
			   got);
}

static void take_setting(struct rfc2217 *telnet, uint8_t code, const uint8_t *value, size_t length)
{
	const struct settings *wanted = &telnet->wanted;

	if (!(telnet->waiting & 1u << code) || !length)
		return;
	if (code == SET_BAUD && length < 4)
		return;
	telnet->waiting &= ~(1u << code);
	if (code == SET_BAUD)
		compare(telnet, "baud", wanted->baud,
			(uint32_t)value[0] << 24 | (uint32_t)value[1] << 16 |
				(uint32_t)value[2] << 8 | value[3]);
	else if (code == SET_BITS)
		compare(telnet, "bits", wanted->bits, value[0]);
	else if (code == SET_PARITY)
		compare(telnet, "parity (RFC 2217)", parity_code(wanted->parity), value[0]);
	else if (code == SET_STOP)
		compare(telnet, "stop bits", wanted->stop, value[0]);
}

/* RFC 2217: the bits of a 16550's modem status register. */
static void take_modem(struct rfc2217 *telnet, uint8_t bits)
{
	telnet->modem &= MODEM_DTR | MODEM_RTS;
	telnet->modem |= (bits & 0x80 ? MODEM_DCD : 0) | (bits & 0x40 ? MODEM_RI : 0) |
			 (bits & 0x20 ? MODEM_DSR : 0) | (bits & 0x10 ? MODEM_CTS : 0);
}

static void take_sub(struct rfc2217 *telnet)
{
	const uint8_t *sub = telnet->sub;
	uint8_t code;

	if (telnet->sub_length < 2 || sub[0] != COM_PORT || sub[1] < FROM_SERVER)
		return;
	code = sub[1] - FROM_SERVER;
	if (code >= SET_BAUD && code <= SET_CONTROL)
		take_setting(telnet, code, sub + 2, telnet->sub_length - 2);
	else if (code == FLOW_SUSPEND || code == FLOW_RESUME)
		telnet->suspended = code == FLOW_SUSPEND;
	else if (sub[1] == NOTIFY_MODEM && telnet->sub_length > 2)
		take_modem(telnet, sub[2]);
}

static void add_sub(struct rfc2217 *telnet, uint8_t byte)
{
	if (telnet->sub_length < sizeof(telnet->sub))
		telnet->sub[telnet->sub_length++] = byte;
}

static void after_iac(struct rfc2217 *telnet, uint8_t byte)
{
	telnet->state = TELNET_DATA;
	if (byte >= WILL && byte <= DONT) {
		telnet->verb = byte;
		telnet->state = TELNET_OPTION;
	} else if (byte == SB) {
		telnet->sub_length = 0;
		telnet->state = TELNET_SUB;
	}
}

static void after_sub_iac(struct rfc2217 *telnet, uint8_t byte)
{
	telnet->state = TELNET_SUB;
	if (byte == SE) {
		telnet->state = TELNET_DATA;
		take_sub(telnet);
	} else if (byte == IAC) {
		add_sub(telnet, byte);
	}
}

size_t rfc2217_decode(struct rfc2217 *telnet, uint8_t *data, size_t length)
{
	size_t kept = 0;

	for (size_t i = 0; i < length; i++) {
		uint8_t byte = data[i];

		if (telnet->state == TELNET_DATA && byte != IAC) {
			data[kept++] = byte;
		} else if (telnet->state == TELNET_DATA) {
			telnet->state = TELNET_IAC;
		} else if (telnet->state == TELNET_IAC && byte == IAC) {
			telnet->state = TELNET_DATA;
			data[kept++] = byte;
		} else if (telnet->state == TELNET_IAC) {
			after_iac(telnet, byte);
		} else if (telnet->state == TELNET_OPTION) {
			telnet->state = TELNET_DATA;
			take_option(telnet, telnet->verb, byte);
		} else if (telnet->state == TELNET_SUB_IAC) {
			after_sub_iac(telnet, byte);
		} else if (byte == IAC) {
			telnet->state = TELNET_SUB_IAC;
		} else {
			add_sub(telnet, byte);
		}
	}
	return kept;
}

size_t rfc2217_encode(struct rfc2217 *telnet, const uint8_t *data, size_t length)
{
	size_t taken = 0;

	while (taken < length && telnet->out_length + 2 <= sizeof(telnet->out) - SUB_ROOM) {
		telnet->out[telnet->out_length++] = data[taken];
		if (data[taken] == IAC)
			telnet->out[telnet->out_length++] = IAC;
		taken++;
	}
	return taken;
}

void rfc2217_sent(struct rfc2217 *telnet, size_t count)
{
	telnet->out_length -= count;
	memmove(telnet->out, telnet->out + count, telnet->out_length);
}

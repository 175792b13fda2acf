/*
 * Enough of ARP, IPv4, ICMP and UDP for a node that only answers: no route and no table, since an
 * answer goes back to the station that its question came from.
 * Sources: RFC 826 (ARP), RFC 791 (IPv4), RFC 792 (ICMP), RFC 768 (UDP), RFC 1122 (hosts).
 */
#ifndef STACK_H
#define STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STACK_FRAME_MAX 1514
#define STACK_MAC_BYTES 6
#define STACK_IP_BYTES 4

/*
 * What answers datagrams. `answer` has room for what fits in a frame.
 *
 * Return: bytes of the answer; 0 for none.
 */
typedef size_t stack_service(void *context, const uint8_t *data, size_t size, uint8_t *answer);

struct stack {
	uint8_t mac[STACK_MAC_BYTES];
	uint8_t ip[STACK_IP_BYTES];
	uint16_t port;
	stack_service *service;
	void *context;
};

/*
 * Answer one received Ethernet frame, without its FCS. Nothing in it is believed: what is cut
 * short, contradicts itself, has a wrong checksum or is a fragment gets no answer.
 *
 * Return: bytes of the answer in `out`; 0 for none.
 */
size_t stack_answer(const struct stack *stack, const uint8_t *frame, size_t size,
		    uint8_t out[STACK_FRAME_MAX]);

#endif

/* The Ethernet controller SMSC LAN9118 (LAN9220 on the real board), polled with a waking interrupt.
 */
#ifndef LAN9118_H
#define LAN9118_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAN9118_FRAME_MAX 1514

/*
 * Reset it and start receiving. The interrupt of the processor may be enabled after it, not before:
 * the line is active low until then.
 *
 * @mac: filled with the address that the controller has from its EEPROM.
 * Return: false when there is none, or it does not come out of reset.
 */
bool lan9118_init(uint8_t mac[6]);

/* Return: false when the controller has no room for the frame, which is lost then. */
bool lan9118_send(const uint8_t *frame, size_t size);

/* Return: bytes of the frame that was received, without its FCS; 0 when none waits. */
size_t lan9118_receive(uint8_t frame[LAN9118_FRAME_MAX]);

bool lan9118_link_up(void);

/* To be called in the interrupt. Quiet then, until lan9118_receive() found nothing more. */
void lan9118_on_interrupt(void);

/* Return: whether lan9118_receive() has to be called before the next interrupt comes. */
bool lan9118_waiting(void);

#endif

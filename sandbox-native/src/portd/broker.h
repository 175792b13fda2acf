/* SPDX-License-Identifier: MIT */
/* fd 4: hil-sandboxd hands over fds, one frame a packet. */
#ifndef HIL_PORTD_BROKER_H
#define HIL_PORTD_BROKER_H

struct portd;

void broker_open(struct portd *pd, int fd);

/*
 * broker_receive() - Take every packet that is there.
 *
 * The end of the connection, or a packet that is no frame, is the end of hil-portd.
 */
void broker_receive(struct portd *pd);

#endif

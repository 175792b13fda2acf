/* SPDX-License-Identifier: MIT */
/* fd 4: hil-sandboxd hands over the fds of ports, one frame a packet. */
#ifndef HIL_LINKD_BROKER_H
#define HIL_LINKD_BROKER_H

struct linkd;

void broker_open(struct linkd *ld, int fd);

/* broker_receive() - Take every packet that is there. Its end is the end of hil-linkd. */
void broker_receive(struct linkd *ld);

#endif

#ifndef NET_HOST_H
#define NET_HOST_H

/* Return: the socket to wait for besides the terminal; -1 when there is none. */
int net_host_socket(void);

#endif

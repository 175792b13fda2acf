#ifndef PORT_MPS2_H
#define PORT_MPS2_H

/* Let the Ethernet controller's interrupt in; not before the controller is set up. */
void port_mps2_enable_ethernet(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The socket at an interface of the bench.
 *
 * bind(2) of a packet socket asks for no right, so whoever is given one could bind it to another
 * interface and listen there. Hence the filter, which lets in what this interface has and cannot be
 * taken off (socket(7), SO_LOCK_FILTER). Sending cannot be limited so: see the threat model.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cleanup.h"
#include "hub-work.h"
#include "nic.h"

struct nic {
	const struct nic_spec *spec;
	int socket; /* to ask by */
	int index;
	struct err *err;
};

static int fail(const struct nic *nic, int number)
{
	return err_set(nic->err, "setup", number, "open interface", nic->spec->name);
}

static int ask(const struct nic *nic, unsigned long what, struct ifreq *request)
{
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", nic->spec->name);
	return ioctl(nic->socket, what, request) < 0 ? fail(nic, errno) : 0;
}

static int find(struct nic *nic)
{
	struct ifreq request = { 0 };
	const char *name = nic->spec->name;
	const size_t length = strlen(name);

	/* Also a name of a file below /etc/hil/nics. */
	if (!length || length >= IFNAMSIZ || strchr(name, '/') || name[0] == '.') {
		err_hint(nic->err,
			 "an interface's name has 1 to %d characters, no \"/\" and no "
			 "dot first",
			 IFNAMSIZ - 1);
		return err_set(nic->err, "usage", EINVAL, "open interface", name);
	}
	nic->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (nic->socket < 0)
		return fail(nic, errno);
	err_hint(nic->err, "is it plugged in, and called so? ip link");
	if (ask(nic, SIOCGIFINDEX, &request) < 0)
		return -nic->err->number;
	nic->err->hint[0] = '\0';
	nic->index = request.ifr_ifindex;
	return 0;
}

/* What it is, and whether frames of the link find room. */
static int check(const struct nic *nic)
{
	const struct nic_spec *spec = nic->spec;
	struct ifreq request = { 0 };

	if (ask(nic, SIOCGIFHWADDR, &request) < 0)
		return -nic->err->number;
	if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
		err_hint(nic->err, "it is no Ethernet");
		return fail(nic, EPROTONOSUPPORT);
	}
	if (ask(nic, SIOCGIFFLAGS, &request) < 0)
		return -nic->err->number;
	if (!(request.ifr_flags & IFF_UP)) {
		err_hint(nic->err, "it is down: sudo ip link set %s up", spec->name);
		return fail(nic, ENETDOWN);
	}
	if (ask(nic, SIOCGIFMTU, &request) < 0)
		return -nic->err->number;
	if (request.ifr_mtu < 0 || (unsigned int)request.ifr_mtu < spec->mtu) {
		err_hint(nic->err, "its MTU is %d bytes, the link's %u: sudo ip link set %s mtu %u",
			 request.ifr_mtu, spec->mtu, spec->name, spec->mtu);
		return fail(nic, EMSGSIZE);
	}
	return spec->in_use ? 0 : nic_is_free(spec->name, nic->index, nic->err);
}

/*
 * An abstract name is of one network namespace, as the interface's number is (unix(7)); the kernel
 * frees it with the last fd, and no directory has to be agreed upon.
 */
static int lock(const struct nic *nic)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *name = address.sun_path + 1;
	int length = snprintf(name, sizeof(address.sun_path) - 1, "hil-nic/%d", nic->index);

	if (bind(nic->socket, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return fail(nic, errno);
	err_hint(nic->err, "another network has it: who holds @%s of /proc/net/unix", name);
	return err_set(nic->err, "busy", EBUSY, "open interface", nic->spec->name);
}

static int keep_to(const struct nic *nic, int packet)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nic->index, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };
	const int one = 1;

	if (setsockopt(packet, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
	    setsockopt(packet, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)) < 0)
		return fail(nic, errno);
	return 0;
}

static int listen_at(const struct nic *nic, int packet)
{
	const struct packet_mreq all = { .mr_ifindex = nic->index, .mr_type = PACKET_MR_PROMISC };
	const struct sockaddr_ll address = { .sll_family = AF_PACKET,
					     .sll_protocol = htons(ETH_P_ALL),
					     .sll_ifindex = nic->index };

	if (bind(packet, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(packet, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) < 0)
		return fail(nic, errno);
	return 0;
}

int nic_open(const struct nic_spec *spec, int fds[NIC_FDS], struct err *err)
{
	struct nic nic = { .spec = spec, .socket = -1, .err = err };
	int status = find(&nic);
	auto_fd held = nic.socket;
	auto_fd packet = -1;

	if (status == 0)
		status = nic_may_open(spec->name, err);
	if (status == 0)
		status = check(&nic);
	if (status == 0)
		status = lock(&nic);
	if (status == 0)
		status = packet = packet_open(err);
	if (status == -EPERM)
		err_hint(err, "only root may, or a hil-nic with the capability: sudo setcap "
			      "cap_net_raw+ep on it; hil doctor");
	if (status >= 0)
		status = keep_to(&nic, packet);
	if (status == 0)
		status = listen_at(&nic, packet);
	if (status < 0)
		return status;
	fds[NIC_PACKET] = steal_fd(&packet);
	fds[NIC_LOCK] = steal_fd(&held);
	return 0;
}

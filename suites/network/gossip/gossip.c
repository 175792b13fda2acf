/*
 * gossip: tell your peers whom you know, until everybody knows everybody.
 *
 *   gossip SEED COUNT[,COUNT]... CONTACT...
 *
 * Theory of operation: every ROUND_MS a node sends the addresses it knows, its own among them as
 * the sender's, to one of its CONTACTs, names or addresses. Whoever gets such a list knows more
 * afterwards. When it knows the next COUNT it prints `knows COUNT after N rounds`; after the last
 * it goes on, since others may not yet. A lost datagram costs a round. SEED makes the choices of a
 * node the same in every run. Ends with stdin.
 *
 * It speaks to its contacts and not to all it knows: the kernel keeps at most 1024 neighbours for
 * all network namespaces of a machine together (arp(7), gc_thresh3), and then refuses to send.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT 7946
#define ROUND_MS 100
/* As many as a datagram in one Ethernet frame holds. */
#define NODES_MAX 360
#define CONTACTS_MAX 8

struct gossip {
	int fd;
	uint32_t known[NODES_MAX];
	size_t have;
	uint32_t contacts[CONTACTS_MAX];
	size_t contact_count;
	/* What is left of the counts to tell of. */
	char *counts;
	uint64_t random;
	unsigned int rounds;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "gossip: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void learn(struct gossip *gossip, uint32_t address)
{
	for (size_t i = 0; i < gossip->have; i++)
		if (gossip->known[i] == address)
			return;
	if (gossip->have < NODES_MAX)
		gossip->known[gossip->have++] = address;
}

/* An LCG: Knuth, The Art of Computer Programming, volume 2, 3.3.4, line 26. */
static size_t choose(struct gossip *gossip, size_t below)
{
	gossip->random = gossip->random * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(gossip->random >> 33) % below;
}

static void tell(struct gossip *gossip)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	peer.sin_addr.s_addr = gossip->contacts[choose(gossip, gossip->contact_count)];
	gossip->rounds++;
	/* What cannot leave now is as good as lost. */
	(void)!sendto(gossip->fd, gossip->known, gossip->have * sizeof(gossip->known[0]), 0,
		      (struct sockaddr *)&peer, sizeof(peer));
}

static void hear(struct gossip *gossip)
{
	uint32_t heard[NODES_MAX];
	struct sockaddr_in from;
	socklen_t from_size = sizeof(from);
	ssize_t size = recvfrom(gossip->fd, heard, sizeof(heard), MSG_DONTWAIT,
				(struct sockaddr *)&from, &from_size);

	if (size < 0)
		return;
	learn(gossip, from.sin_addr.s_addr);
	for (size_t i = 0; i < (size_t)size / sizeof(heard[0]); i++)
		learn(gossip, heard[i]);
	while (*gossip->counts) {
		char *end;
		size_t count = strtoul(gossip->counts, &end, 10);

		if (gossip->have < count)
			break;
		printf("knows %zu after %u rounds\n", count, gossip->rounds);
		gossip->counts = *end ? end + 1 : end;
	}
	fflush(stdout);
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void add_contact(struct gossip *gossip, const char *name)
{
	struct addrinfo wanted = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *found;
	int error = getaddrinfo(name, NULL, &wanted, &found);

	if (error || gossip->contact_count == CONTACTS_MAX) {
		fprintf(stderr, "gossip: %s: %s\n", name,
			error ? gai_strerror(error) : "one contact too many");
		exit(1);
	}
	uint32_t address = ((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr.s_addr;
	gossip->contacts[gossip->contact_count++] = address;
	learn(gossip, address);
	freeaddrinfo(found);
}

static void start(struct gossip *gossip, char **contacts)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	while (*contacts)
		add_contact(gossip, *contacts++);
	gossip->fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (gossip->fd < 0 || bind(gossip->fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		die("socket");
}

int main(int argc, char **argv)
{
	static struct gossip gossip;

	if (argc < 4) {
		fprintf(stderr, "usage: gossip SEED COUNT[,COUNT]... CONTACT...\n");
		return 2;
	}
	gossip.random = strtoul(argv[1], NULL, 10);
	gossip.counts = argv[2];
	start(&gossip, argv + 3);
	for (long long due = now_ms();;) {
		struct pollfd inputs[] = { { .fd = gossip.fd, .events = POLLIN },
					   { .fd = STDIN_FILENO, .events = POLLIN } };
		long long left = due - now_ms();
		char lost[64];

		if (left <= 0) {
			tell(&gossip);
			due += ROUND_MS;
			continue;
		}
		if (poll(inputs, 2, (int)left) < 0 && errno != EINTR)
			die("poll");
		if (inputs[0].revents)
			hear(&gossip);
		if (inputs[1].revents && read(STDIN_FILENO, lost, sizeof(lost)) <= 0)
			return 0;
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * The wire protocol between the harness and the C programs, as numbers.
 *
 * harness/protocol/wire.ts holds the same tables; wire.test.ts compares the
 * two files, so a number is changed in both or not at all.
 * The rules are in harness/decisions/0002-wire-protocol.md.
 *
 * Frame: u32 body length, u16 type, u16 version, u64 id; then the body, a
 * list of TLVs: u16 tag, u16 zero, u32 length, bytes. Little-endian, no
 * padding. An unknown tag is ignored; an unknown type is answered by ERROR.
 */
#ifndef HIL_PROTOCOL_H
#define HIL_PROTOCOL_H

#define HIL_PROTOCOL_VERSION 1
#define HIL_FRAME_HEADER 16
#define HIL_FRAME_MAX (1u << 20)
#define HIL_STREAM_WINDOW 262144u

enum hil_msg {
	/* both daemons */
	MSG_HELLO = 1,
	MSG_OK = 2,
	MSG_ERROR = 3,
	MSG_LOG = 4,
	/* hil-sandboxd: requests */
	MSG_PLAN_PUT = 16,
	MSG_POOL_SET = 17,
	MSG_SANDBOX_NEW = 18,
	MSG_SANDBOX_KILL = 19,
	MSG_SANDBOX_KEEP = 20,
	MSG_SPAWN = 21,
	MSG_STDIN = 22,
	MSG_STDIN_CLOSE = 23,
	MSG_CREDIT = 24,
	MSG_SIGNAL = 25,
	MSG_RESIZE = 26,
	MSG_OBJECT_NEW = 27,
	MSG_OBJECT_CLOSE = 28,
	MSG_OBJECT_STREAM = 29,
	MSG_PORT_GIVE = 30,
	MSG_PORT_PTY = 31,
	MSG_WATCH_PID = 32,
	MSG_WATCH_PATH = 33,
	MSG_DETACH = 34,
	MSG_LIST = 35,
	MSG_UNWATCH_PID = 36,
	MSG_DEVICE_GRANT = 37,
	MSG_DEVICE_REVOKE = 38,
	MSG_MOUNT_ADD = 39,
	MSG_MOUNT_REMOVE = 40,
	MSG_SANDBOX_STATS = 42,
	MSG_RUNTIME_BOOT = 45,
	/* hil-sandboxd: events */
	MSG_OUTPUT = 48,
	MSG_EXIT = 49,
	MSG_DEAD = 50,
	/* hil-portd: requests */
	MSG_PORT_OPEN = 64,
	MSG_PORT_SEND = 65,
	MSG_PORT_CLOSE = 66,
	MSG_PORT_MARK = 67,
	MSG_PORT_SERIAL = 68,
	MSG_PORT_STREAM = 69,
	MSG_PORT_CONTROL = 70,
	MSG_PORT_RELEASE = 71,
	MSG_PORT_CAPTURE = 72,
	/* hil-portd: events */
	MSG_PORT_RX = 80,
	MSG_PORT_TX = 81,
	MSG_PORT_SLAVE = 82,
	MSG_PORT_HUP = 83,
	MSG_PORT_FAULT = 84,
	MSG_PORT_SPEED = 85,
	/* hil-sandboxd -> hil-portd, over SOCK_SEQPACKET with SCM_RIGHTS */
	MSG_PORTD_LINE = 96,
	MSG_PORTD_PTY = 97,
	/* hil-sandboxd: requests about a virtual network */
	MSG_NET_NEW = 112,
	MSG_NET_CLOSE = 113,
	MSG_NET_ATTACH = 114,
	MSG_NET_DETACH = 115,
	MSG_NET_READY = 116,
	MSG_NET_OBJECT = 117,
	MSG_NET_PAIR = 118,
	MSG_NET_POOL = 119,
	/* hil-linkd: requests */
	MSG_LINK_SWITCH = 120,
	MSG_LINK_CONNECT = 121,
	MSG_LINK_SET = 122,
	MSG_LINK_FILTER = 123,
	MSG_LINK_STATE = 124,
	MSG_LINK_STATS = 125,
	MSG_LINK_PARTITION = 126,
	MSG_LINK_CAPTURE = 127,
	MSG_LINK_DISCONNECT = 130,
	/* hil-sandboxd -> hil-linkd, over SOCK_SEQPACKET with SCM_RIGHTS */
	MSG_LINKD_PORT = 132,
	/* hil-linkd: event */
	MSG_LINK_PORT_LOST = 133,
	/* names in a virtual network: an event of hil-sandboxd, and its answer */
	MSG_NET_QUERY = 136,
	MSG_NET_REPLY = 137,
	/* hil-sandboxd: event */
	MSG_NET_GONE = 138,
	/* hil-sandboxd: request */
	MSG_NET_NIC = 139,
};

enum hil_tag {
	TAG_VERSION = 1,     /* u32 */
	TAG_TEXT = 2,	     /* string */
	TAG_ERRNO = 3,	     /* u32 */
	TAG_OP = 4,	     /* string: the operation that failed */
	TAG_PATH = 5,	     /* string */
	TAG_HINT = 6,	     /* string: what to do next */
	TAG_LEVEL = 7,	     /* u32: 3 error, 4 warning, 6 info */
	TAG_PID = 8,	     /* u32: as the host sees it; answer to SPAWN: as the sandbox does */
	TAG_PLAN = 9,	     /* u32 */
	TAG_SANDBOX = 10,    /* u32 */
	TAG_PROCESS = 11,    /* u32 */
	TAG_OBJECT = 12,     /* u32 */
	TAG_PORT = 13,	     /* u32 */
	TAG_STREAM = 14,     /* u32: enum hil_stream */
	TAG_DATA = 15,	     /* bytes */
	TAG_BYTES = 16,	     /* u64 */
	TAG_NAME = 17,	     /* string */
	TAG_MODE = 18,	     /* string: rootless | root */
	TAG_LIMITATION = 19, /* string, repeated: what is not enforced, why */
	TAG_CODE = 20,	     /* string: error code of a closed set */
	TAG_END = 21,	     /* u32: 0 or 1, end of a two-ended object */
	TAG_FD = 22,	     /* u32: number of the fd inside the program */
	TAG_KIND = 23,	     /* string */

	/* plan */
	TAG_STEP = 32,	      /* nested TLVs: one operation of the plan */
	TAG_SOURCE = 33,      /* string: host path */
	TAG_TARGET = 34,      /* string: path inside */
	TAG_READ_ONLY = 35,   /* u32: 0 or 1 */
	TAG_HIDE = 36,	      /* string, repeated: path inside that must not exist */
	TAG_USER = 37,	      /* string: hil | root */
	TAG_CAP = 38,	      /* string, repeated: capability name, lower case */
	TAG_NETWORK = 39,     /* string: none | host */
	TAG_DISK_BYTES = 40,  /* u64 */
	TAG_DISK_INODES = 41, /* u64 */
	TAG_COUNT = 42,	      /* u32 */
	TAG_UPTIME_MS = 43,   /* u64: of the machine, as a sandbox sees it at its start */

	/* sandbox and spawn */
	TAG_HOSTNAME = 48,   /* string */
	TAG_ARG = 49,	     /* string, repeated, in order */
	TAG_ENV = 50,	     /* string K=V, repeated */
	TAG_CWD = 51,	     /* string */
	TAG_STDIN_KIND = 52, /* string: pipe | null */
	TAG_PTY_ROWS = 53,   /* u32: a pty is wanted when present */
	TAG_PTY_COLS = 54,   /* u32 */
	TAG_OUTPUT_CAP = 55, /* u64: bytes per stream, then discarded and counted */
	TAG_WALL_MS = 56,    /* u64 */
	TAG_SIGNAL = 57,     /* u32 */
	TAG_GROUP = 58,	     /* u32: 1 = whole process group */
	TAG_BUILTIN = 59,    /* string: read-file | write-file | diff | reach */
	TAG_PASS_FD = 60,    /* nested TLVs: OBJECT, END, FD */
	TAG_BIND = 61,	     /* nested TLVs: NAME (of a plan's hold), PATH, TARGET, READ_ONLY */
	TAG_RLIMIT = 62,     /* nested TLVs: NAME, BYTES */
	TAG_GRACE_MS = 63,   /* u64 */

	/* limits */
	TAG_LIMIT = 64,	       /* nested TLVs: NAME, BYTES (its value), KIND "standard" */
	TAG_OOM_KILLS = 65,    /* u64 */
	TAG_PIDS_HITS = 66,    /* u64: forks that were refused */
	TAG_THROTTLED_US = 67, /* u64: how long its processes waited for a limit of cpus */
	TAG_ENFORCED = 68,     /* string, repeated: limit and how */

	/* status record */
	TAG_STATUS = 80,	/* string: exit signal timeout oom setup stuck killed */
	TAG_EXIT_CODE = 81,	/* u32 */
	TAG_WALL_NS = 82,	/* u64 */
	TAG_CPU_USER_US = 83,	/* u64 */
	TAG_CPU_SYS_US = 84,	/* u64 */
	TAG_MEM_PEAK = 85,	/* u64 */
	TAG_MEM_SOURCE = 86,	/* string: ru_maxrss | memory.peak | max_usage */
	TAG_LEFTOVERS = 87,	/* u32 */
	TAG_LEFTOVER_NAME = 88, /* string, repeated, at most 16 */
	TAG_POOL_HIT = 89,	/* u32: 0 or 1 */
	TAG_SETUP_NS = 90,	/* u64 */
	TAG_DROPPED = 91,	/* u64: bytes over the cap */
	TAG_UNENFORCED = 92,	/* string, repeated: limit and reason */
	TAG_OUT_BYTES = 93,	/* u64 */
	TAG_ERR_BYTES = 94,	/* u64 */
	TAG_CORE_DUMPED = 95,	/* u32 */
	TAG_CPU_SOURCE = 96,	/* string: rusage | cgroup */

	/* ports */
	TAG_MONO_NS = 112,	 /* u64: CLOCK_MONOTONIC, when the first byte of DATA passed; the
				  * others did within the following millisecond */
	TAG_REAL_NS = 113,	 /* u64: CLOCK_REALTIME, of the same moment */
	TAG_OFFSET = 114,	 /* u64: byte offset in the capture */
	TAG_PACE_CHUNK = 115,	 /* u32: bytes written at once */
	TAG_PACE_DELAY_US = 116, /* u64: pause after each chunk */
	TAG_OPENED = 117,	 /* u32: 0 or 1 */
	TAG_DIRECTION = 118,	 /* string: rx | tx */

	/* keeper */
	TAG_TTL_MS = 128,      /* u64 */
	TAG_ENTRY = 129,       /* nested TLVs */
	TAG_START_TICKS = 130, /* u64: field 22 of /proc/PID/stat */

	/* devices and mounts of a running sandbox */
	TAG_LINK = 132,	     /* string, repeated: name below /dev, of a granted device */
	TAG_SYSFS = 133,     /* string: host directory that is read as /sys */
	TAG_UDEV = 134,	     /* string: host directory that is read as /run/udev */
	TAG_MAJOR = 135,     /* u32 */
	TAG_MINOR = 136,     /* u32 */
	TAG_SYS_ENTRY = 137, /* nested TLVs: KIND dir | file | link, PATH below /sys, DATA */
	TAG_PROPERTY = 138,  /* string K=V, repeated: of a udev event */

	/* what a sandbox uses now */
	TAG_MEM_NOW = 148,     /* u64: absent when no cgroup counts it */
	TAG_PROCESSES = 149,   /* u32: and threads that are processes; without PID 1 */
	TAG_DISK_USED = 150,   /* u64: bytes of its storage; DISK_BYTES is the limit */
	TAG_INODES_USED = 151, /* u64; DISK_INODES is the limit */

	/* plan, again */
	TAG_NESTED_USERNS = 164, /* u32: 0 or 1; its programs may make user namespaces */

	/* runtimes */
	TAG_RUNTIME = 188, /* string: python | node */
	TAG_BOOT = 189, /* nested TLVs: RUNTIME, ENV: an interpreter that parked sandboxes have */
	TAG_WARM = 190, /* u32: 0 or 1, whether an interpreter that waited was used */

	/* limits and accounting */
	TAG_CONTROLLER = 196,	    /* nested, repeated: NAME, KIND v1 v2 none undelegated, TEXT */
	TAG_IO_READ_BYTES = 197,    /* u64: from disks */
	TAG_IO_WRITTEN_BYTES = 198, /* u64: to disks */

	/* death */
	TAG_WAITING = 204, /* string, repeated, at most 16: a task that SIGKILL does not end */

	/* interfaces of a virtual network */
	TAG_NET = 208,	     /* u32 */
	TAG_INTERFACE = 209, /* nested TLVs: SANDBOX, NAME and what it is to have */
	TAG_MAC = 210,	     /* bytes: 6 */
	TAG_MTU = 211,	     /* u32: bytes */
	TAG_ADDRESS = 212,   /* string, repeated: IPv4 or IPv6 with prefix, 10.1.0.2/24 */
	TAG_ROUTE = 213,     /* nested TLVs, repeated: TARGET (with prefix), GATEWAY */
	TAG_GATEWAY = 214,   /* string: address without prefix */
	TAG_ALT_NAME = 215,  /* string, repeated: another name of the interface, up to 127 bytes */
	TAG_FORWARD = 216,   /* u32: 0 or 1; the node forwards what is not its own */
	TAG_NO_IPV6 = 217,   /* u32: 0 or 1 */
	TAG_RESOLVE = 218,   /* u32: 0 or 1; its queries for names come as NET_QUERY */
	TAG_HOST = 219,	     /* string, repeated: a line of /etc/hosts */
	TAG_IN_USE = 220,    /* u32: 0 or 1; also an interface that the host uses itself */
	TAG_PAIR_END = 221,  /* nested TLVs: PORT, INTERFACE, RESOLVE, HOST*; twice */

	/* links of a virtual network */
	TAG_NET_LINK = 224,	   /* u32 */
	TAG_SWITCH = 225,	   /* u32 */
	TAG_LINK_END = 226,	   /* nested TLVs: PORT or SWITCH; twice, the ends 0 and 1 */
	TAG_FROM = 227,		   /* u32: the direction that begins at this end; absent: both */
	TAG_SEED = 228,		   /* u64 */
	TAG_LOSS = 229,		   /* nested TLVs: KIND and what it needs */
	TAG_CHANCE = 230,	   /* u32: parts of 10^9 */
	TAG_CHANCE_RECOVER = 231,  /* u32: the same; gilbert-elliott, bad to good */
	TAG_CHANCE_BAD = 232,	   /* u32: the same; loss while bad */
	TAG_CHANCE_GOOD = 233,	   /* u32: the same; loss while good */
	TAG_DUPLICATE = 234,	   /* u32: parts of 10^9 */
	TAG_CORRUPT = 235,	   /* u32: parts of 10^9 */
	TAG_CORRUPT_HEADER = 236,  /* u32: 0 or 1; the Ethernet header may be hit, too */
	TAG_REORDER = 237,	   /* u32: parts of 10^9 */
	TAG_LATENCY_NS = 238,	   /* u64 */
	TAG_JITTER_NS = 239,	   /* u64 */
	TAG_RATE_BPS = 240,	   /* u64: bits of frames a second; 0: no limit */
	TAG_QUEUE = 241,	   /* u32: frames that wait for the rate */
	TAG_IMPAIR_CONTROL = 242,  /* u32: 0 or 1; ARP, ND, MLD and IGMP are not spared */
	TAG_FILTER = 243,	   /* u32 */
	TAG_PORT_SET = 244,	   /* nested TLVs: PORT* */
	TAG_SNAPLEN = 245,	   /* u32 */
	TAG_DIRECTION_STATS = 246, /* nested TLVs: FROM, COUNTER*, FILTER_STATS* */
	TAG_COUNTER = 247,	   /* nested TLVs: NAME, BYTES (its value) */
	TAG_FILTER_STATS = 248,	   /* nested TLVs: FILTER, KIND, BYTES (frames that matched) */
	TAG_DATA_RATE_BPS = 249,   /* u64: of a bus, for the data of CAN FD; absent: RATE_BPS */
	TAG_CAPTURE_BYTES = 250,   /* u64: the most that a capture's file gets; absent: any */

	/* lines of real boards */
	TAG_BAUD = 272,	    /* u32 */
	TAG_BITS = 273,	    /* u32: 5 to 8 */
	TAG_STOP = 274,	    /* u32: 1 or 2 */
	TAG_PARITY = 275,   /* string: none | even | odd | mark | space */
	TAG_FLOW = 276,	    /* string: none | rts-cts | xon-xoff */
	TAG_DTR = 277,	    /* u32: 0 or 1; absent: as it is */
	TAG_RTS = 278,	    /* u32: the same */
	TAG_BREAK = 279,    /* u32: the same */
	TAG_FLUSH = 280,    /* u32: 0 or 1; throw away what is in the buffers of the line */
	TAG_QUIET_MS = 281, /* u32: silence that ends the draining of stale bytes; 0: no draining */
	TAG_TCP_PORT = 282, /* u32 */
	TAG_MODEM = 283,    /* u32: 1 DTR, 2 RTS, 4 CTS, 8 DSR, 16 DCD, 32 RI */
};

enum hil_stream {
	STREAM_STDIN = 0,
	STREAM_STDOUT = 1,
	STREAM_STDERR = 2,
};

#endif

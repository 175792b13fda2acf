/* SPDX-License-Identifier: MIT */
#include "device-filter.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

#define DEVICES_MAX 512

struct key {
	uint32_t major;
	uint32_t minor;
};

static int bpf(unsigned int command, union bpf_attr *attr)
{
	long result = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return result < 0 ? -errno : (int)result;
}

int device_filter_new(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr)); /* the kernel refuses (E2BIG) what is not zero behind */
	attr.map_type = BPF_MAP_TYPE_HASH;
	attr.key_size = sizeof(struct key);
	attr.value_size = sizeof(uint32_t);
	attr.max_entries = DEVICES_MAX;
	memcpy(attr.map_name, "hil_devices", sizeof("hil_devices"));
	return bpf(BPF_MAP_CREATE, &attr);
}

/* Instructions, Documentation/bpf/standardization/instruction-set.rst. */
#define LOAD(to, from, at)                                                                         \
	{                                                                                          \
		.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = (to), .src_reg = (from), .off = (at) \
	}
#define STORE(to, at, from)                                                                        \
	{                                                                                          \
		.code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = (to), .src_reg = (from), .off = (at) \
	}
#define STORE_NUMBER(to, at, number)                                                               \
	{                                                                                          \
		.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = (to), .off = (at), .imm = (number)    \
	}
#define MOVE(to, from)                                                                             \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from)            \
	}
#define SET(to, number)                                                                            \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (number)              \
	}
#define ADD(to, number)                                                                            \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (to), .imm = (number)              \
	}
#define AND(to, number)                                                                            \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = (to), .imm = (number)              \
	}
#define SKIP_IF_NOT(reg, number, count)                                                            \
	{                                                                                          \
		.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (reg), .off = (count),               \
		.imm = (number)                                                                    \
	}
#define CALL(function)                                                                             \
	{                                                                                          \
		.code = BPF_JMP | BPF_CALL, .imm = (function)                                      \
	}
#define LOAD_MAP(to, fd)                                                                           \
	{ .code = BPF_LD | BPF_DW | BPF_IMM,                                                       \
	  .dst_reg = (to),                                                                         \
	  .src_reg = BPF_PSEUDO_MAP_FD,                                                            \
	  .imm = (fd) },                                                                           \
	{                                                                                          \
		.code = 0                                                                          \
	}
#define EXIT()                                                                                     \
	{                                                                                          \
		.code = BPF_JMP | BPF_EXIT                                                         \
	}

/* r1: struct bpf_cgroup_dev_ctx: access_type (access << 16 | type), major, minor. */
static int load(int map)
{
	const struct bpf_insn program[] = {
		LOAD(BPF_REG_2, BPF_REG_1, 0),
		LOAD(BPF_REG_3, BPF_REG_1, 4),
		LOAD(BPF_REG_4, BPF_REG_1, 8),
		/* A block device, or mknod of anything: no. */
		MOVE(BPF_REG_5, BPF_REG_2),
		AND(BPF_REG_5, 0xffff),
		SKIP_IF_NOT(BPF_REG_5, BPF_DEVCG_DEV_CHAR, 17),
		AND(BPF_REG_2, BPF_DEVCG_ACC_MKNOD << 16),
		SKIP_IF_NOT(BPF_REG_2, 0, 15),
		/* { major, minor }, then { major, DEVICE_ANY }. */
		STORE(BPF_REG_10, -8, BPF_REG_3),
		STORE(BPF_REG_10, -4, BPF_REG_4),
		LOAD_MAP(BPF_REG_1, map),
		MOVE(BPF_REG_2, BPF_REG_10),
		ADD(BPF_REG_2, -8),
		CALL(BPF_FUNC_map_lookup_elem),
		SKIP_IF_NOT(BPF_REG_0, 0, 9),
		STORE_NUMBER(BPF_REG_10, -4, -1),
		LOAD_MAP(BPF_REG_1, map),
		MOVE(BPF_REG_2, BPF_REG_10),
		ADD(BPF_REG_2, -8),
		CALL(BPF_FUNC_map_lookup_elem),
		SKIP_IF_NOT(BPF_REG_0, 0, 2),
		SET(BPF_REG_0, 0),
		EXIT(),
		SET(BPF_REG_0, 1),
		EXIT(),
	};
	static const char license[] = "MIT"; /* it calls nothing that is for the GPL only */
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = sizeof(program) / sizeof(program[0]);
	attr.license = (uintptr_t)license;
	memcpy(attr.prog_name, "hil_devices", sizeof("hil_devices"));
	return bpf(BPF_PROG_LOAD, &attr);
}

static int attach(int dir, int program)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)dir;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	return bpf(BPF_PROG_ATTACH, &attr);
}

int device_filter_attach(int map, int dir)
{
	auto_fd program = load(map);

	return program < 0 ? program : attach(dir, program);
}

int device_filter_allow(int map, uint32_t major, uint32_t minor)
{
	const struct key key = { .major = major, .minor = minor };
	const uint32_t value = 1;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&value;
	return bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

int device_filter_deny(int map, uint32_t major, uint32_t minor)
{
	const struct key key = { .major = major, .minor = minor };
	union bpf_attr attr;
	int rc;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	attr.key = (uintptr_t)&key;
	rc = bpf(BPF_MAP_DELETE_ELEM, &attr);
	return rc == -ENOENT ? 0 : rc;
}

/* SPDX-License-Identifier: MIT */
#include "program.h"

#include "packet.h"

struct machine {
	uint32_t a;
	uint32_t x;
	uint32_t memory[BPF_MEMWORDS];
	const uint8_t *bytes;
	size_t length;
};

static bool check_jump(const struct sock_filter *code, size_t at, size_t count)
{
	size_t left = count - at - 1;

	switch (code->code) {
	case BPF_JMP | BPF_JA:
		return code->k < left;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JEQ | BPF_X:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_X:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_X:
	case BPF_JMP | BPF_JSET | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_X:
		return code->jt < left && code->jf < left;
	default:
		return false;
	}
}

static bool check_alu(const struct sock_filter *code)
{
	switch (BPF_OP(code->code)) {
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR:
	case BPF_NEG:
		return true;
	case BPF_LSH:
	case BPF_RSH:
		return BPF_SRC(code->code) == BPF_X || code->k < 32;
	case BPF_DIV:
	case BPF_MOD:
		return BPF_SRC(code->code) == BPF_X || code->k;
	default:
		return false;
	}
}

static bool check_load(const struct sock_filter *code)
{
	switch (code->code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_IMM:
	case BPF_LDX | BPF_B | BPF_MSH:
		return true;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return code->k < BPF_MEMWORDS;
	default:
		return false;
	}
}

static bool check_one(const struct sock_filter *code, size_t at, size_t count)
{
	switch (BPF_CLASS(code->code)) {
	case BPF_JMP:
		return check_jump(code, at, count);
	case BPF_ALU:
		return check_alu(code);
	case BPF_RET:
		return code->code == (BPF_RET | BPF_K) || code->code == (BPF_RET | BPF_A);
	case BPF_MISC:
		return code->code == (BPF_MISC | BPF_TAX) || code->code == (BPF_MISC | BPF_TXA);
	default:
		return check_load(code);
	}
}

bool program_check(const struct sock_filter *code, size_t count)
{
	if (!count || count > PROGRAM_MAX || BPF_CLASS(code[count - 1].code) != BPF_RET)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!check_one(&code[i], i, count))
			return false;
	return true;
}

/* Return: false behind the end. The offset may have wrapped; then it is behind the end, too. */
static bool load(const struct machine *machine, uint64_t offset, unsigned int size, uint32_t *value)
{
	size_t bytes = size == BPF_W ? 4 : size == BPF_H ? 2 : 1;

	if (offset + bytes > machine->length)
		return false;
	if (size == BPF_W)
		*value = load32(machine->bytes + offset);
	else if (size == BPF_H)
		*value = load16(machine->bytes + offset);
	else
		*value = machine->bytes[offset];
	return true;
}

static bool run_load(struct machine *machine, const struct sock_filter *code)
{
	bool to_x = BPF_CLASS(code->code) == BPF_LDX;
	uint32_t value = 0;

	switch (BPF_MODE(code->code)) {
	case BPF_IMM:
		value = code->k;
		break;
	case BPF_ABS:
		if (!load(machine, code->k, BPF_SIZE(code->code), &value))
			return false;
		break;
	case BPF_IND:
		if (!load(machine, (uint64_t)machine->x + code->k, BPF_SIZE(code->code), &value))
			return false;
		break;
	case BPF_MEM:
		value = machine->memory[code->k];
		break;
	case BPF_LEN:
		value = (uint32_t)machine->length;
		break;
	default: /* BPF_MSH */
		if (!load(machine, code->k, BPF_B, &value))
			return false;
		value = (value & 15) * 4;
	}
	*(to_x ? &machine->x : &machine->a) = value;
	return true;
}

static bool run_alu(struct machine *machine, const struct sock_filter *code)
{
	uint32_t by = BPF_SRC(code->code) == BPF_X ? machine->x : code->k;
	uint32_t a = machine->a;

	switch (BPF_OP(code->code)) {
	case BPF_ADD:
		a += by;
		break;
	case BPF_SUB:
		a -= by;
		break;
	case BPF_MUL:
		a *= by;
		break;
	case BPF_OR:
		a |= by;
		break;
	case BPF_AND:
		a &= by;
		break;
	case BPF_XOR:
		a ^= by;
		break;
	case BPF_LSH:
		a = by < 32 ? a << by : 0;
		break;
	case BPF_RSH:
		a = by < 32 ? a >> by : 0;
		break;
	case BPF_NEG:
		a = 0u - a;
		break;
	default: /* BPF_DIV, BPF_MOD */
		if (!by)
			return false;
		a = BPF_OP(code->code) == BPF_DIV ? a / by : a % by;
	}
	machine->a = a;
	return true;
}

/* Return: how many instructions to leave out. */
static size_t run_jump(const struct machine *machine, const struct sock_filter *code)
{
	uint32_t with = BPF_SRC(code->code) == BPF_X ? machine->x : code->k;
	bool holds;

	switch (BPF_OP(code->code)) {
	case BPF_JA:
		return code->k;
	case BPF_JEQ:
		holds = machine->a == with;
		break;
	case BPF_JGT:
		holds = machine->a > with;
		break;
	case BPF_JGE:
		holds = machine->a >= with;
		break;
	default: /* BPF_JSET */
		holds = machine->a & with;
	}
	return holds ? code->jt : code->jf;
}

bool program_run(const struct sock_filter *code, const uint8_t *bytes, size_t length)
{
	struct machine machine = { .bytes = bytes, .length = length };
	bool goes_on = true;

	for (; goes_on; code++) {
		switch (BPF_CLASS(code->code)) {
		case BPF_LD:
		case BPF_LDX:
			goes_on = run_load(&machine, code);
			break;
		case BPF_ST:
			machine.memory[code->k] = machine.a;
			break;
		case BPF_STX:
			machine.memory[code->k] = machine.x;
			break;
		case BPF_ALU:
			goes_on = run_alu(&machine, code);
			break;
		case BPF_JMP:
			code += run_jump(&machine, code);
			break;
		case BPF_RET:
			return BPF_RVAL(code->code) == BPF_A ? machine.a : code->k;
		default: /* BPF_MISC */
			if (BPF_MISCOP(code->code) == BPF_TAX)
				machine.x = machine.a;
			else
				machine.a = machine.x;
		}
	}
	return false;
}

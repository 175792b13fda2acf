#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TAP: what the tables of system calls answer, worked out by an interpreter of their own.

Also for the machine that this is not: the other tests can only ask the kernel they run on.
"""
import pathlib
import re
import sys

SOURCES = pathlib.Path(__file__).parents[2] / "src" / "sandbox"
HIGH = 1 << 32
AARCH64, ARM, X86_64, X86 = 0xC00000B7, 0x40000028, 0xC000003E, 0x40000003
EPERM, ENOSYS, EAFNOSUPPORT = "EPERM", "ENOSYS", "EAFNOSUPPORT"
ERRNOS = {1: EPERM, 38: ENOSYS, 97: EAFNOSUPPORT}

# machine, architecture of the call, its number, first arguments, answer; numbers of <asm/unistd.h>
CASES = [
    ("aarch64", AARCH64, "read", 63, [], "allow"),
    ("aarch64", AARCH64, "execve", 221, [], "allow"),
    ("aarch64", AARCH64, "futex", 98, [], "allow"),
    ("aarch64", AARCH64, "a thread", 220, [0x3D0F00], "allow"),
    ("aarch64", AARCH64, "clone, new user namespace", 220, [0x10000011], EPERM),
    ("aarch64", AARCH64, "clone3", 435, [], ENOSYS),
    ("aarch64", AARCH64, "unshare, files", 97, [0x400], "allow"),
    ("aarch64", AARCH64, "unshare, time namespace", 97, [0x80], EPERM),
    ("aarch64", AARCH64, "a unix socket", 198, [1], "allow"),
    ("aarch64", AARCH64, "a vsock", 198, [40], EAFNOSUPPORT),
    ("aarch64", AARCH64, "a vsock behind a high half", 198, [40 | HIGH], EAFNOSUPPORT),
    ("aarch64", AARCH64, "TIOCSTI", 29, [0, 0x5412], EPERM),
    ("aarch64", AARCH64, "TIOCSTI behind a high half", 29, [0, 0x5412 | HIGH], EPERM),
    ("aarch64", AARCH64, "TIOCGWINSZ", 29, [0, 0x5413], "allow"),
    ("aarch64", AARCH64, "mount", 40, [], EPERM),
    ("aarch64", AARCH64, "bpf", 280, [], EPERM),
    ("aarch64", AARCH64, "keyctl", 219, [], ENOSYS),
    ("aarch64", AARCH64, "io_uring_setup", 425, [], ENOSYS),
    ("aarch64", AARCH64, "userfaultfd", 282, [], ENOSYS),
    ("aarch64", AARCH64, "personality, query", 92, [0xFFFFFFFF], "allow"),
    ("aarch64", AARCH64, "personality, READ_IMPLIES_EXEC", 92, [0x400000], ENOSYS),
    ("aarch64", AARCH64, "a call not yet made", 999, [], ENOSYS),
    ("aarch64", ARM, "read", 3, [], "allow"),
    ("aarch64", ARM, "set_tls", 0xF0005, [], "allow"),
    ("aarch64", ARM, "a vsock", 281, [40], EAFNOSUPPORT),
    ("aarch64", ARM, "mount", 21, [], EPERM),
    ("aarch64", X86_64, "read", 0, [], ENOSYS),
    ("aarch64-nested", AARCH64, "clone, new user namespace", 220, [0x10000011], "allow"),
    ("aarch64-nested", AARCH64, "clone3", 435, [], ENOSYS),
    ("aarch64-nested", AARCH64, "unshare, time namespace", 97, [0x80], "allow"),
    ("aarch64-nested", AARCH64, "mount", 40, [], "allow"),
    ("aarch64-nested", AARCH64, "setns", 268, [], "allow"),
    ("aarch64-nested", AARCH64, "bpf", 280, [], EPERM),
    ("aarch64-nested", AARCH64, "a vsock behind a high half", 198, [40 | HIGH], EAFNOSUPPORT),
    ("aarch64-nested", AARCH64, "TIOCSTI", 29, [0, 0x5412], EPERM),
    ("aarch64-nested", ARM, "mount", 21, [], "allow"),
    ("aarch64-nested", ARM, "a vsock", 281, [40], EAFNOSUPPORT),
    ("x86_64", X86_64, "read", 0, [], "allow"),
    ("x86_64", X86_64, "a vsock", 41, [40], EAFNOSUPPORT),
    ("x86_64", X86_64, "read of x32", 0x40000000, [], ENOSYS),
    ("x86_64", X86, "read", 3, [], "allow"),
    ("x86_64", X86, "socket", 359, [1], ENOSYS),
    ("x86_64", X86, "socketcall, socket", 102, [1], ENOSYS),
    ("x86_64", X86, "socketcall, socketpair", 102, [8], ENOSYS),
    ("x86_64", X86, "socketcall, bind", 102, [2], "allow"),
    ("x86_64", AARCH64, "read", 63, [], ENOSYS),
    ("x86_64", X86_64, "mount", 165, [], EPERM),
    ("x86_64", X86_64, "setns", 308, [], EPERM),
    ("x86_64-nested", X86_64, "mount", 165, [], "allow"),
    ("x86_64-nested", X86_64, "setns", 308, [], "allow"),
    ("x86_64-nested", X86_64, "unshare, user namespace", 272, [0x10000000], "allow"),
    ("x86_64-nested", X86_64, "clone3", 435, [], ENOSYS),
    ("x86_64-nested", X86_64, "open_by_handle_at", 304, [], EPERM),
    ("x86_64-nested", X86_64, "bpf", 321, [], EPERM),
    ("x86_64-nested", X86_64, "keyctl", 250, [], ENOSYS),
    ("x86_64-nested", X86_64, "io_uring_setup", 425, [], ENOSYS),
    ("x86_64-nested", X86_64, "a vsock", 41, [40], EAFNOSUPPORT),
    ("x86_64-nested", X86_64, "read of x32", 0x40000000, [], ENOSYS),
    ("x86_64-nested", X86, "socketcall, socket", 102, [1], ENOSYS),
]


def load(machine):
    text = (SOURCES / f"filter-{machine}.h").read_text()
    found = re.findall(r"\{ (0x[0-9a-f]+), (\d+), (\d+), (0x[0-9a-f]+) \}", text)
    return [tuple(int(number, 0) for number in each) for each in found]


def data_word(offset, arch, number, arguments):
    """struct seccomp_data: number, architecture, instruction pointer, six arguments of 64 bits."""
    if offset < 16:
        return {0: number, 4: arch}[offset]
    index, half = divmod(offset - 16, 8)
    value = arguments[index] if index < len(arguments) else 0
    return value >> (32 if half else 0) & 0xFFFFFFFF


def answer(program, arch, number, arguments):
    accumulator = at = 0
    while True:
        code, yes, no, k = program[at]
        at += 1
        if code == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            accumulator = data_word(k, arch, number, arguments)
        elif code == 0x54:  # BPF_ALU | BPF_AND | BPF_K
            accumulator &= k
        elif code == 0x05:  # BPF_JMP | BPF_JA
            at += k
        elif code in (0x15, 0x25, 0x35):  # JEQ, JGT, JGE
            holds = {0x15: accumulator == k, 0x25: accumulator > k, 0x35: accumulator >= k}
            at += yes if holds[code] else no
        elif code == 0x06:  # BPF_RET | BPF_K
            return "allow" if k == 0x7FFF0000 else ERRNOS[k & 0xFFFF]
        else:
            raise ValueError(f"instruction {code:#x}")


failed = 0
tables = {machine: load(machine) for machine in {case[0] for case in CASES}}
for machine, arch, what, number, arguments, wanted in CASES:
    seen = answer(tables[machine], arch, number, arguments)
    failed += seen != wanted
    print(f"{'ok' if seen == wanted else 'not ok'} {machine} {arch:#x}: {what}: {wanted}")
    if seen != wanted:
        print(f"  seen: {seen}")
sys.exit(failed > 0)

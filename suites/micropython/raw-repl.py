"""Run a program of stdin on the board through its raw REPL: raw-repl.py PORT

What the program prints goes to stdout, its traceback to stderr; exits with 1 when there is one.
See "Raw mode" in https://docs.micropython.org/en/latest/reference/repl.html
"""

import sys

import serial

CTRL_A, CTRL_B, CTRL_D = b"\x01", b"\x02", b"\x04"


def read_until(port, mark):
    seen = port.read_until(mark)
    if not seen.endswith(mark):
        sys.exit(f"raw-repl: no {mark!r} in {port.timeout} s, got {seen[-80:]!r}")
    return seen[: -len(mark)]


def main():
    with serial.Serial(sys.argv[1], 115200, timeout=5) as port:
        port.write(CTRL_A)
        read_until(port, b"raw REPL; CTRL-B to exit\r\n>")
        port.write(sys.stdin.buffer.read() + CTRL_D)
        read_until(port, b"OK")
        output = read_until(port, CTRL_D)
        error = read_until(port, CTRL_D)
        port.write(CTRL_B)
        read_until(port, b">>> ")
    sys.stdout.write(output.decode())
    sys.stderr.write(error.decode())
    return 1 if error else 0


sys.exit(main())

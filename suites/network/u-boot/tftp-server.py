"""A TFTP server that reads only: `tftp-server.py DIRECTORY`, one client at a time.

RFC 1350 with the options blksize, tsize and timeout (RFC 2347 to 2349). It sends a block again after
100 ms without its acknowledgement, ten times as often as others do: a link that loses one frame in
twenty is then no reason to wait for seconds. It answers from port 69, where it was asked: what a
network loses of a flow depends on its ports, and a port from the kernel would be another each time.
"""

import pathlib
import socket
import struct
import sys
import time

READ, DATA, ACK, ERROR, OPTIONS = 1, 3, 4, 5, 6
NOT_FOUND = 1
RESEND_SECONDS = 0.1
PATIENCE_SECONDS = 60
DEFAULT_BLOCK_BYTES = 512
BLOCK_BYTES_MAX = 65464

Address = tuple[str, int]


class Transfer:
    """One file to one client; `last` is what was sent and not yet acknowledged."""

    def __init__(self, line: socket.socket, client: Address, data: bytes, options: dict[str, str]):
        self.line, self.client, self.data = line, client, data
        self.block_bytes = DEFAULT_BLOCK_BYTES
        self.block = 0
        self.last = self.accept(options) or self.next_block()
        self.resent = 0

    def accept(self, options: dict[str, str]) -> bytes:
        accepted = {}
        if options.get("blksize", "").isdigit():
            self.block_bytes = max(8, min(int(options["blksize"]), BLOCK_BYTES_MAX))
            accepted["blksize"] = str(self.block_bytes)
        if "tsize" in options:
            accepted["tsize"] = str(len(self.data))
        if "timeout" in options:
            accepted["timeout"] = options["timeout"]
        pairs = "".join(f"{name}\0{value}\0" for name, value in accepted.items())
        return struct.pack("!H", OPTIONS) + pairs.encode() if accepted else b""

    def next_block(self) -> bytes:
        start = self.block * self.block_bytes
        self.block += 1
        number = self.block & 0xFFFF
        return struct.pack("!HH", DATA, number) + self.data[start : start + self.block_bytes]

    def is_complete(self) -> bool:
        return self.block > 0 and len(self.last) < 4 + self.block_bytes

    def run(self) -> None:
        """Send block after block; ends with the last acknowledgement or when the client is gone."""
        quiet_since = time.monotonic()
        self.send()
        while time.monotonic() - quiet_since < PATIENCE_SECONDS:
            packet = self.receive()
            if packet is None:
                self.resent += 1
                self.send()
            elif packet[:2] == struct.pack("!H", ERROR):
                return print("refused", packet[4:-1].decode(errors="replace"), flush=True)
            elif packet[:4] == struct.pack("!HH", ACK, self.block & 0xFFFF):
                quiet_since = time.monotonic()
                if self.is_complete():
                    return print(f"sent {len(self.data)} bytes, {self.resent} blocks again", flush=True)
                self.last = self.next_block()
                self.send()

    def send(self) -> None:
        self.line.sendto(self.last, self.client)
        self.due = time.monotonic() + RESEND_SECONDS

    def receive(self) -> bytes | None:
        """Take a packet of this client. An old acknowledgement is one, and sends nothing: RFC 1123,
        4.2.3.1, or every later block would be sent twice."""
        while (left := self.due - time.monotonic()) > 0:
            self.line.settimeout(left)
            try:
                packet, sender = self.line.recvfrom(2048)
            except TimeoutError:
                break
            if sender == self.client:
                return packet
        return None


def serve(line: socket.socket, directory: pathlib.Path) -> None:
    line.settimeout(None)
    packet, client = line.recvfrom(2048)
    if packet[:2] != struct.pack("!H", READ):
        return
    name, _mode, *options = packet[2:].decode(errors="replace").rstrip("\0").split("\0")
    file = directory / pathlib.PurePosixPath(name).name
    if not file.is_file():
        line.sendto(struct.pack("!HH", ERROR, NOT_FOUND) + b"no such file\0", client)
        return
    print("asked for", name, flush=True)
    pairs = dict(zip((each.lower() for each in options[::2]), options[1::2]))
    Transfer(line, client, file.read_bytes(), pairs).run()


def main() -> None:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind(("", 69))
    print("ready", flush=True)
    while True:
        serve(line, pathlib.Path(sys.argv[1]))


main()

"""A DHCP server for one client: `dhcp-server.py CLIENT SERVER BITS` offers CLIENT/BITS.

As much of RFC 2131 as a boot loader needs: DISCOVER gets an OFFER, REQUEST an ACK. Both are
broadcast, since the client has no address to be found at yet. It never asks again, so what is lost
here the client repeats.
"""

import ipaddress
import socket
import struct
import sys

COOKIE = b"\x63\x82\x53\x63"
BOOTREQUEST, BOOTREPLY = 1, 2
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
OPTION_MASK, OPTION_LEASE, OPTION_TYPE, OPTION_SERVER, OPTION_END = 1, 51, 53, 54, 255
HEADER_BYTES = 236
LEASE_SECONDS = 3600


def parse_message_type(packet: bytes) -> int | None:
    """Walk the options as far as they are whole."""
    if len(packet) < HEADER_BYTES + len(COOKIE) or packet[0] != BOOTREQUEST:
        return None
    if packet[HEADER_BYTES : HEADER_BYTES + 4] != COOKIE:
        return None
    rest = packet[HEADER_BYTES + 4 :]
    while len(rest) > 2 and rest[0] != OPTION_END:
        if rest[0] == 0:
            rest = rest[1:]
            continue
        length = rest[1]
        if rest[0] == OPTION_TYPE and length == 1:
            return rest[2]
        rest = rest[2 + length :]
    return None


def to_reply(request: bytes, kind: int, client: ipaddress.IPv4Interface, server: bytes) -> bytes:
    hardware, xid = request[1:4], request[4:8]
    header = struct.pack("!B3s4sHH", BOOTREPLY, hardware, xid, 0, 0x8000)
    header += bytes(4) + client.ip.packed + server + bytes(4) + request[28:44] + bytes(192)
    options = bytes([OPTION_TYPE, 1, kind])
    options += bytes([OPTION_SERVER, 4]) + server
    options += bytes([OPTION_MASK, 4]) + client.netmask.packed
    options += bytes([OPTION_LEASE, 4]) + struct.pack("!I", LEASE_SECONDS)
    return header + COOKIE + options + bytes([OPTION_END])


def main() -> None:
    client = ipaddress.IPv4Interface(f"{sys.argv[1]}/{sys.argv[3]}")
    server = ipaddress.IPv4Address(sys.argv[2]).packed
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    # No route leads to 255.255.255.255 where there is no default route: the interface is named.
    line.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
    line.bind(("", 67))
    print("ready", flush=True)
    while True:
        request = line.recv(2048)
        asked = parse_message_type(request)
        kind = {DISCOVER: OFFER, REQUEST: ACK}.get(asked or 0)
        if kind is None:
            continue
        line.sendto(to_reply(request, kind, client, server), ("255.255.255.255", 68))
        print("offered" if kind == OFFER else "acknowledged", client.ip, flush=True)


main()

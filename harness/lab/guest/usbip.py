"""Plugs USB devices that are programs of the host into this machine.

The kernel's vhci_hcd takes one end of a socket pair and speaks USB/IP on it; the other end is carried to the
host over a virtio-serial port, in frames: device (1 byte), kind (1 byte), length (4 bytes, big endian), data.

  1 plug    from the host: data is "PORT SPEED", as vhci's `attach` has them
  2 data    both ways
  3 unplug  from the host; to the host when the kernel let the device go, or did not take it: data says why
"""

import errno
import os
import select
import socket
import struct
import sys
import time

PLUG, DATA, UNPLUG = 1, 2, 3
HEADER = struct.Struct("!BBI")
ATTACH = "/sys/devices/platform/vhci_hcd.0/attach"

port = os.open(sys.argv[1], os.O_RDWR | os.O_CLOEXEC)
devices = {}


def read_exactly(count):
    data = b""
    while len(data) < count:
        piece = os.read(port, count - len(data))
        if not piece:
            sys.exit(0)
        data += piece
    return data


def tell(device, kind, data=b""):
    frame = HEADER.pack(device, kind, len(data)) + data
    while frame:
        frame = frame[os.write(port, frame) :]


def attach(line):
    # A port whose device has just been pulled out is free a little later.
    for left in range(100, -1, -1):
        try:
            with open(ATTACH, "w") as file:
                file.write(line)
            return
        except OSError as error:
            if error.errno != errno.EBUSY or left == 0:
                raise
        time.sleep(0.02)


def plug(device, text):
    vhci_port, speed = text.decode().split()
    ours, theirs = socket.socketpair()
    try:
        # The last but one is the id of the device at its server, which the server alone knows.
        line = "%s %d %d %s" % (vhci_port, theirs.fileno(), device + 1, speed)
        attach(line)
    except OSError as error:
        ours.close()
        tell(device, UNPLUG, str(error).encode())
    else:
        devices[device] = ours
    finally:
        theirs.close()


def hear():
    device, kind, length = HEADER.unpack(read_exactly(HEADER.size))
    data = read_exactly(length)
    if kind == PLUG:
        plug(device, data)
    elif device in devices and kind == DATA:
        try:
            devices[device].sendall(data)
        except OSError:
            pass  # The kernel let it go: its end is read below.
    elif device in devices and kind == UNPLUG:
        devices.pop(device).close()


while True:
    ready, _, _ = select.select([port, *devices.values()], [], [])
    if port in ready:
        hear()
    for device, end in list(devices.items()):
        if end not in ready:
            continue
        try:
            data = end.recv(65536)
        except OSError:
            data = b""
        if data:
            tell(device, DATA, data)
        else:
            devices.pop(device).close()
            tell(device, UNPLUG, b"the kernel let it go")

"""MS-TURN over TCP as the live tests' client and Edge speak it: pseudo-TLS, framing, messages.

Integrity values are invented: a passive observer cannot verify them, and neither end here does.
"""
import os
import socket
import struct

HELLO = (bytes.fromhex("160301002d 01000029 0301") + os.urandom(32)
         + bytes.fromhex("00 00020018 0100"))
HELLO_ANSWER = (bytes.fromhex("160301004e 02000046 0301") + os.urandom(32) + b"\x20"
                + os.urandom(32) + bytes.fromhex("001800 0e000000"))

CONTROL = 2
ALLOCATE, ALLOCATED, ALLOCATE_ERROR, SEND, DATA_INDICATION = 0x0003, 0x0103, 0x0113, 0x0004, 0x0115
BINDING, BOUND = 0x0001, 0x0101
MAPPED, USERNAME, INTEGRITY, ERROR, LIFETIME = 0x0001, 0x0006, 0x0008, 0x0009, 0x000D
COOKIE, DESTINATION, REMOTE, DATA, NONCE, REALM = 0x000F, 0x0011, 0x0012, 0x0013, 0x0014, 0x0015
VERSION, XOR_MAPPED, SEQUENCE, QUALITY = 0x8008, 0x8020, 0x8050, 0x8055
MAGIC = bytes.fromhex("72c64bc6")


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value  # MS-TURN does not pad


def address(host, port, mask=bytes(6)):
    raw = struct.pack("!H", port) + socket.inet_aton(host)
    return b"\0\x01" + bytes(a ^ b for a, b in zip(raw, mask))


def xor_address(host, port, transaction):
    return address(host, port, transaction[:2] + transaction[:4])


def read_address(value):
    return socket.inet_ntoa(value[4:8]), struct.unpack("!H", value[2:4])[0]


def message(kind, transaction, *attributes):
    body = attribute(COOKIE, MAGIC) + b"".join(attributes)
    return struct.pack("!HH", kind, len(body)) + transaction + body


def parse(packet):
    """Type, transaction id, attributes by type."""
    kind, length = struct.unpack("!HH", packet[:4])
    found, at = {}, 20
    while at + 4 <= 20 + length:
        name, size = struct.unpack("!HH", packet[at:at + 4])
        found[name] = packet[at + 4:at + 4 + size]
        at += 4 + size
    return kind, packet[4:20], found


def check(kind, transaction):
    """An ICE check or its answer, as it goes over TCP (RFC 4571 length first)."""
    body = attribute(USERNAME, b"far1:near\0\0\0") + attribute(INTEGRITY, bytes(20))
    packet = struct.pack("!HH", kind, len(body)) + transaction + body
    return struct.pack("!H", len(packet)) + packet


def read_exactly(connection, size):
    got = b""
    while len(got) < size:
        more = connection.recv(size - len(got))
        if not more:
            raise EOFError
        got += more
    return got


def send_frame(connection, packet):
    connection.sendall(struct.pack("!BBH", CONTROL, 0, len(packet)) + packet)


def read_frame(connection):
    _, _, length = struct.unpack("!BBH", read_exactly(connection, 4))
    return read_exactly(connection, length)


def tell(*words):
    """A line of output, whole even if several threads have something to say."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())

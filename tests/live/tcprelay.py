"""A client of TURN with TCP relays (RFC 6062): allocates, lets the server connect to a peer, and if
that works sends it a few bytes over a connection for data.

usage: tcprelay.py OWN SERVER USER PASSWORD PEER PORT     tells: CLIENT-PORT RELAY-PORT RESULT
                                                          where RESULT is echoed or an error's code
"""
import hashlib
import hmac
import os
import socket
import struct
import sys

import msturn

TURN_PORT = 3478
MAGIC = 0x2112A442
ALLOCATE, PERMISSION, CONNECT, BIND, REFRESH = 0x003, 0x008, 0x00A, 0x00B, 0x004
USERNAME, INTEGRITY, ERROR, LIFETIME, PEER, REALM = 0x0006, 0x0008, 0x0009, 0x000D, 0x0012, 0x0014
NONCE, RELAYED, TRANSPORT, CONNECTION = 0x0015, 0x0016, 0x0019, 0x002A
MASK = struct.pack("!HI", MAGIC >> 16, MAGIC)


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


class Session:
    def __init__(self, own, server, user, password):
        self.own, self.server, self.user, self.password = own, server, user, password
        self.control = self.connect()
        self.realm = self.nonce = None

    def connect(self):
        return socket.create_connection((self.server, TURN_PORT), source_address=(self.own, 0))

    def signed(self, method, attributes):
        body = b"".join(attribute(*a) for a in attributes)
        size = len(body)
        if self.realm:
            body += (attribute(USERNAME, self.user.encode()) + attribute(REALM, self.realm)
                     + attribute(NONCE, self.nonce))
            size = len(body) + 24
        packet = struct.pack("!HHI", method, size, MAGIC) + os.urandom(12) + body
        if self.realm:
            key = hashlib.md5(b":".join([self.user.encode(), self.realm, self.password.encode()]))
            packet += attribute(INTEGRITY, hmac.digest(key.digest(), packet, "sha1"))
        return packet

    def ask(self, method, *attributes, over=None):
        """The answer's attributes; with the error's code, 0 for none."""
        s = over or self.control
        s.sendall(self.signed(method, attributes))
        head = msturn.read_exactly(s, 20)
        size = struct.unpack("!H", head[2:4])[0]
        body, found, at = msturn.read_exactly(s, size), {}, 0
        while at + 4 <= size:
            kind, length = struct.unpack("!HH", body[at:at + 4])
            found[kind] = body[at + 4:at + 4 + length]
            at += 4 + length + -length % 4
        error = found.get(ERROR)
        return found, error[2] * 100 + error[3] if error else 0

    def allocate(self):
        """The relay port."""
        tcp = (TRANSPORT, b"\x06\0\0\0")
        got, error = self.ask(ALLOCATE, tcp)
        if error == 401:
            self.realm, self.nonce = got[REALM], got[NONCE]
            got, error = self.ask(ALLOCATE, tcp)
        if error:
            sys.exit("allocate: error %d" % error)
        return struct.unpack("!H", got[RELAYED][2:4])[0] ^ (MAGIC >> 16)

    def reach(self, peer, port):
        """What became of a connection from the relay port to the peer."""
        to = (PEER, msturn.address(peer, port, MASK))
        self.ask(PERMISSION, to)
        got, error = self.ask(CONNECT, to)
        if error:
            return error
        data = self.connect()
        _, error = self.ask(BIND, (CONNECTION, got[CONNECTION]), over=data)
        if error:
            return error
        data.sendall(b"x" * 100)
        msturn.read_exactly(data, 100)
        data.close()
        return "echoed"


def main(own, server, user, password, peer, port):
    session = Session(own, server, user, password)
    relay_port = session.allocate()
    result = session.reach(peer, int(port))
    session.ask(REFRESH, (LIFETIME, bytes(4)))
    msturn.tell(session.control.getsockname()[1], relay_port, result)


if __name__ == "__main__":
    main(*sys.argv[1:])

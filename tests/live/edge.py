"""The A/V Edge of the live tests: MS-TURN for clients, and connections from its relay ports.

usage: edge.py serve INSIDE OUTSIDE PUBLIC    one line per connection that a client asked for:
                                              RELAY-PORT PEER-PORT OUTCOME
       edge.py connect OUTSIDE PEER SPORT:DPORT...   the same without any client

To some peer ports it behaves in a way of its own:
"""
import errno
import os
import socket
import struct
import sys
import threading
import time

import msturn

HASTY = {50709: 0.5}  # seconds until it gives up; after one SYN
PATIENCE = 3.5        # three SYNs or four, as kernels go
AGAIN = {50708}       # connects a second time after a refusal
FIRST_RELAY_PORT = 52000


def outcome_of(error, silence="timeout"):
    if isinstance(error, socket.timeout):
        return silence
    if isinstance(error, EOFError):
        return "closed"
    if isinstance(error, ConnectionResetError):
        return "reset"  # be it before connect() has returned, or after
    return errno.errorcode.get(error.errno, str(error)).lower()


def connect_once(here, there, linger):
    """One connection with a check sent over it; stays open for `linger` to be closed by."""
    family = socket.AF_INET6 if ":" in here[0] else socket.AF_INET
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(here)
    s.settimeout(HASTY.get(there[1], PATIENCE))
    try:
        s.connect(there)
    except OSError as e:
        s.close()
        return outcome_of(e), None
    linger.append(s)
    s.settimeout(2)
    try:
        s.sendall(msturn.check(msturn.BINDING, os.urandom(16)))
        size = struct.unpack("!H", msturn.read_exactly(s, 2))[0]
        return "connected", msturn.read_exactly(s, size)
    except (OSError, EOFError) as e:
        return outcome_of(e, silence="opened-silent"), None


def connect(here, there, linger):
    outcome, answer = connect_once(here, there, linger)
    if outcome == "econnrefused" and there[1] in AGAIN:
        time.sleep(0.5)
        outcome, answer = connect_once(here, there, linger)
    msturn.tell(here[1], there[1], outcome)
    return answer


class Session:
    """One client's control connection."""

    def __init__(self, control, client, relay, public):
        self.control, self.client, self.relay, self.public = control, client, relay, public
        self.connection_id = os.urandom(20)
        self.linger = []

    def answer(self, kind, transaction, *attributes):
        msturn.send_frame(self.control, msturn.message(kind, transaction, *attributes))

    def allocate(self, transaction, asked):
        who = asked.get(msturn.USERNAME, b"")
        if msturn.INTEGRITY not in asked or who.startswith(b"stranger"):
            self.answer(msturn.ALLOCATE_ERROR, transaction,
                        msturn.attribute(msturn.ERROR, b"\0\0\x04\x01Unauthorized"),
                        msturn.attribute(msturn.NONCE, b"0123456789"),
                        msturn.attribute(msturn.REALM, b"rtcmedia"))
            return
        self.answer(msturn.ALLOCATED, transaction,
                    msturn.attribute(msturn.MAPPED, msturn.address(self.public, self.relay[1])),
                    msturn.attribute(msturn.XOR_MAPPED,
                                     msturn.xor_address(*self.client, transaction)),
                    msturn.attribute(msturn.LIFETIME, struct.pack("!I", 600)),
                    msturn.attribute(msturn.SEQUENCE, self.connection_id + bytes(4)),
                    msturn.attribute(msturn.INTEGRITY, bytes(20)))

    def relay_to(self, peer):
        data = connect(self.relay, peer, self.linger)
        if data:
            self.answer(msturn.DATA_INDICATION, os.urandom(16),
                        msturn.attribute(msturn.REMOTE, msturn.address(*peer)),
                        msturn.attribute(msturn.DATA, struct.pack("!H", len(data)) + data))

    def run(self):
        if msturn.read_exactly(self.control, 50)[:5] != msturn.HELLO[:5]:
            return
        self.control.sendall(msturn.HELLO_ANSWER)
        while True:
            kind, transaction, asked = msturn.parse(msturn.read_frame(self.control))
            if kind == msturn.ALLOCATE:
                self.allocate(transaction, asked)
            elif kind == msturn.SEND:
                peer = msturn.read_address(asked[msturn.DESTINATION])
                threading.Thread(target=self.relay_to, args=(peer,), daemon=True).start()

    def run_and_close(self):
        try:
            self.run()
        except (OSError, EOFError):
            pass
        for s in [*self.linger, self.control]:
            s.close()


def serve(inside, outside, public):
    listener = socket.create_server((inside, 443))
    msturn.tell("ready")
    port = FIRST_RELAY_PORT
    while True:
        control, client = listener.accept()
        session = Session(control, client, (outside, port), public)
        threading.Thread(target=session.run_and_close, daemon=True).start()
        port += 2


def connect_all(outside, peer, pairs):
    linger = []
    threads = []
    for pair in pairs:
        near, far = map(int, pair.split(":"))
        threads.append(threading.Thread(target=connect, args=((outside, near), (peer, far), linger)))
        threads[-1].start()
    for t in threads:
        t.join()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    else:
        connect_all(sys.argv[2], sys.argv[3], sys.argv[4:])

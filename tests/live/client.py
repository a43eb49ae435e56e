"""Clients of the A/V Edge: each allocates a relay port, asks for one peer, and stays for a while.

usage: client.py ADDRESS SERVER SECONDS USER:PEER:PORT...    one line per client:
                                                             PEER-PORT CLIENT-PORT RELAY
"""
import os
import socket
import struct
import sys
import threading
import time

import msturn

PORT = 443


def ask(control, *attributes):
    msturn.send_frame(control, msturn.message(msturn.ALLOCATE, os.urandom(16), *attributes))
    return msturn.parse(msturn.read_frame(control))


def allocate(control, user):
    """The relay address, or None."""
    common = (msturn.attribute(msturn.VERSION, struct.pack("!I", 3)),
              msturn.attribute(msturn.USERNAME, user.ljust(56, ".").encode()),
              msturn.attribute(msturn.QUALITY, struct.pack("!HH", 4, 1)))
    kind, _, got = ask(control, *common)
    for _ in range(2):
        if kind != msturn.ALLOCATE_ERROR:
            break
        kind, _, got = ask(control, *common, msturn.attribute(msturn.NONCE, got[msturn.NONCE]),
                           msturn.attribute(msturn.REALM, got[msturn.REALM]),
                           msturn.attribute(msturn.INTEGRITY, bytes(20)))
    return msturn.read_address(got[msturn.MAPPED]) if kind == msturn.ALLOCATED else None


def run(own, server, seconds, user, peer, port):
    control = socket.create_connection((server, PORT), source_address=(own, 0))
    control.sendall(msturn.HELLO)
    msturn.read_exactly(control, 83)
    relay = allocate(control, user)
    msturn.tell(port, control.getsockname()[1], "%s:%d" % relay if relay else "-")
    if relay:
        data = msturn.check(msturn.BINDING, os.urandom(16))
        msturn.send_frame(control, msturn.message(
            msturn.SEND, os.urandom(16), msturn.attribute(msturn.VERSION, struct.pack("!I", 3)),
            msturn.attribute(msturn.USERNAME, user.ljust(56, ".").encode()),
            msturn.attribute(msturn.DESTINATION, msturn.address(peer, port)),
            msturn.attribute(msturn.INTEGRITY, bytes(20)), msturn.attribute(msturn.DATA, data)))
        time.sleep(seconds)
    control.close()


def main(own, server, seconds, *cases):
    threads = []
    for case in cases:
        user, peer, port = case.split(":")
        threads.append(threading.Thread(
            target=run, args=(own, server, float(seconds), user, peer, int(port))))
        threads[-1].start()
    for t in threads:
        t.join()


if __name__ == "__main__":
    main(*sys.argv[1:])

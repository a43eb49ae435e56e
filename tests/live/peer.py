"""The far end: listens on ports that each behave in their own way.

usage: peer.py HOST BEHAVIOUR:PORT...     answer   answers ICE checks
                                          echo     sends back what it gets
                                          silent   takes them and says nothing
                                          reset    resets the connection as soon as it is open
                                          close    closes it at the first bytes
"""
import socket
import struct
import sys
import threading

import msturn

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def answer(connection):
    while True:
        size = struct.unpack("!H", msturn.read_exactly(connection, 2))[0]
        packet = msturn.read_exactly(connection, size)
        connection.sendall(msturn.check(msturn.BOUND, packet[4:20]))


def echo(connection):
    while got := connection.recv(4096):
        connection.sendall(got)


def silent(connection):
    while connection.recv(4096):
        pass


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)


def close(connection):
    connection.recv(4096)


BEHAVIOURS = {"answer": answer, "echo": echo, "silent": silent, "reset": reset, "close": close}


def handle(behave, connection):
    try:
        behave(connection)
    except (OSError, EOFError):
        pass
    connection.close()


def serve(listener, behave):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=handle, args=(behave, connection), daemon=True).start()


def main(host, *ports):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for spec in ports:
        name, port = spec.split(":")
        listener = socket.create_server((host, int(port)), family=family)
        threading.Thread(target=serve, args=(listener, BEHAVIOURS[name])).start()
    msturn.tell("ready")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Plays captures into two interfaces in real time, all of them at once: the stories of one line stay
in step, the lines begin together.

usage: replay.py SECONDS FOLDER INTERFACE INTERFACE     lines of capture files on stdin

The first file of a line goes to the first interface, the second to the second. A line that takes
longer than SECONDS is left out. What is sent is also written to FOLDER, a capture for each interface,
with the times of the plan.
"""
import os
import socket
import struct
import sys
import time

import msturn

FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)


def read_capture(path):
    """(seconds, frame) of each packet; little-endian, Ethernet, microseconds or nanoseconds."""
    with open(path, "rb") as f:
        data = f.read()
    unit = {0xA1B2C3D4: 1e-6, 0xA1B23C4D: 1e-9}[struct.unpack("<I", data[:4])[0]]
    at = 24
    while at < len(data):
        seconds, fraction, size, _ = struct.unpack("<IIII", data[at:at + 16])
        yield seconds + fraction * unit, data[at + 16:at + 16 + size]
        at += 16 + size


def plan(lines, longest):
    """(seconds from the start, interface, frame) of all that is to be sent."""
    packets, taken = [], 0
    for line in lines:
        story = [(when, interface, frame) for interface, path in enumerate(line.split())
                 for when, frame in read_capture(path)]
        begin = min(p[0] for p in story)
        if max(p[0] for p in story) - begin <= longest:
            packets += [(when - begin, interface, frame) for when, interface, frame in story]
            taken += 1
    return sorted(packets, key=lambda p: p[0]), taken


def write(path, begin, packets):
    with open(path, "wb") as f:
        f.write(FILE_HEADER)
        for when, frame in packets:
            us = round((begin + when) * 1e6)
            f.write(struct.pack("<IIII", us // 1000000, us % 1000000, len(frame), len(frame)) + frame)


def port(interface):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((interface, 0))
    return s


def main(longest, folder, *interfaces):
    packets, taken = plan(sys.stdin.readlines(), float(longest))
    begin = time.time() + 0.1
    for i in range(len(interfaces)):
        write(os.path.join(folder, "%d.pcap" % i), begin, [(p[0], p[2]) for p in packets if p[1] == i])
    ports = [port(i) for i in interfaces]
    for when, interface, frame in packets:
        time.sleep(max(0, begin + when - time.time()))
        ports[interface].send(frame)
    msturn.tell(taken, "stories", len(packets), "packets")


if __name__ == "__main__":
    main(*sys.argv[1:])

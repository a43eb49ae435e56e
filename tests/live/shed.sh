#!/bin/bash
# Load shedding by a real kernel: media are cut to 128 bytes, beyond a rate dropped, signaling and STUN
# stay whole, and what was shed is counted, to the packet, as that and as nothing else.
# needs: iproute2 nftables python3 sqlite3 tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need shed
make_work
add_ns switch
add_ns sensor
span_port switch mon

# So many frames of UDP between a relay's port and another, 500 bytes beginning with that byte, so many
# a second.
frames() { # NUMBER FIRST-BYTE PORT RATE
    in_ns switch /usr/bin/python3 - "$@" <<-'PY'
		import socket, struct, sys, time
		number, first, port, rate = map(int, sys.argv[1:])
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind(("span-mon", 0))
		began = time.monotonic()
		for i in range(number):
		    udp = struct.pack("!HHHH", 50001, port, 508, 0) + bytes([first]) + b"x" * 3 + struct.pack("!I", i) + b"m" * 492
		    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), i % 65535 + 1, 0, 64, 17, 0,
		                     socket.inet_aton("192.0.2.1"), socket.inet_aton("192.0.2.2"))
		    s.send(b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + ip + udp)
		    if i % 50 == 49:
		        time.sleep(max(0, began + (i + 1) / rate - time.monotonic()))
	PY
}

watch() { # DB OPTION...
    db=$work/db/$1.db
    shift
    start sensor monitor "$edgewatch" --config /dev/null --db "$db" monitor -i mon --sensor lab \
        --edge 192.0.2.1 "$@"
    monitor=$last
    wait_for 10 "the monitor to listen" said monitor '^edgewatch: listening on '
}
end_watch() {
    kill -TERM "$monitor"
    wait "$monitor"
}
sums() {
    ask "SELECT 'handled', sum(handled), 'cut', sum(shed_cut), 'damaged', sum(decode_errors), 'lost',
        sum(kernel_drops + nic_drops + ring_drops) FROM health WHERE interface = 'mon' AND event IS NULL"
}

watch cut --shed-above 0
frames 200 128 60001 2000 # RTP
frames 200 0 60001 2000   # may be STUN
frames 200 128 5060 2000  # signaling, by its port
end_watch
same "media are cut, all else is whole, nothing is lost" "handled 600 cut 200 damaged 0 lost 0" "$(sums)"

watch whole --no-shed
frames 200 128 60001 2000
end_watch
same "--no-shed keeps everything whole" "handled 200 cut 0 damaged 0 lost 0" "$(sums)"

watch drop --shed-above 300
frames 6000 128 60001 1000
frames 200 0 60001 2000
sleep 2
end_watch
same "beyond the rate it is told" 1 "$(ask "SELECT count(*) FROM health WHERE event LIKE 'sheds load: %'")"
same "and when it is over" 1 "$(ask "SELECT count(*) FROM health WHERE event LIKE 'keeps relay media again%'")"
same "media were dropped, none of it as a loss" "1 0 0" "$(ask "SELECT sum(shed_dropped) > 1000,
    sum(decode_errors), sum(kernel_drops + nic_drops + ring_drops) FROM health WHERE interface = 'mon'")"
same "seen and dropped is what was sent (but for the moment of the change)" 1 \
    "$(ask "SELECT abs(sum(handled) + sum(shed_dropped) - 6200) < 20 FROM health WHERE interface = 'mon'")"
ask "SELECT '# handled', sum(handled), 'dropped', sum(shed_dropped) FROM health WHERE interface = 'mon'"
finish

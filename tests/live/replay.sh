#!/bin/bash
# The sample captures, played into two span ports at the speed at which they were taken: edgewatch finds
# live what it finds in the files.
# needs: iproute2 nftables python3 sqlite3 tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need replay
make_work
add_ns edge
add_ns sensor
for port in inside outside; do
    span_port edge $port
    ip -n "$lab-edge" link set span-$port mtu 9000
    ip -n "$lab-sensor" link set $port mtu 9000
done
seconds=45 # the longer stories are left to `read`

start_monitor
# (there are two span ports: a story of three files is left to `read`, too)
awk '$1 == "files" && NF < 4 { $1 = ""; gsub(/ +/, " pcaps/"); print }' pcaps/INDEX >"$work/stories"
in_ns edge /usr/bin/python3 "$here/replay.py" $seconds "$work" span-inside span-outside \
    <"$work/stories" >"$work/replay.log"
stop_monitor
read -r stories _ packets _ <"$work/replay.log"

verdict "most of the stories were played" "$([ "${stories:-0}" -ge 30 ] || echo "only ${stories:-none}")"
same "every packet arrived" "$packets" "$(ask "SELECT sum(packets) FROM health")"
live=$(failure_rows)
db=$work/db/read.db
ew read -q --sensor lab "$work/0.pcap" "$work/1.pcap" >"$work/read.log" 2>&1
same "the packets as they were planned give the same failures" "$(failure_rows)" "$live"
verdict "there are failures of each verdict" "$(comm -23 \
    <(printf '%s\n' refused timeout single-syn unreachable half-open retry-conflict reset-after-open \
        open-no-check pseudotls-fail tls-fail alloc-fail | sort) \
    <(ask "SELECT DISTINCT verdict FROM failures" | sort) | sed 's/^/none is /')"
finish

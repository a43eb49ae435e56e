# The lab of the live tests (sourced): a small site in network namespaces, its span ports, edgewatch
# on them, and waiting with a deadline in place of sleeping. Everything that was started, made or
# written is gone when the test ends.
#
#   client 10.77.0.2 --- 10.77.0.1 edge 10.3.0.40 --- 10.3.0.1 firewall 198.51.100.1 --- .20 peer
#                              |            |            NAT: 10.3.0.40 = 203.0.113.40
#                           span "inside"  span "outside"     IPv6: 2001:db8:3::40, 2001:db8:51::20
#
# needs: iproute2 nftables python3 sqlite3 tshark
# shellcheck shell=bash disable=SC2034 # who includes this uses them
. tests/help/protocol.sh

client=10.77.0.2 edge_inside=10.77.0.1 edge_outside=10.3.0.40 edge_public=203.0.113.40
firewall=10.3.0.1 peer=198.51.100.20
edge_outside6=2001:db8:3::40 firewall6=2001:db8:3::1 peer6=2001:db8:51::20
here=$PWD/tests/live
lab=ewlive$$
work=
started=() # process ids
edgewatch=${EDGEWATCH:-$PWD/edgewatch}
unset EDGEWATCH_DB EDGEWATCH_CONFIG
export PYTHONDONTWRITEBYTECODE=1

# ---- before and after ----

# Ends the script if this machine can't do the test.
need() { # TEST PROGRAM...
    local test=$1 program
    shift
    for program in ip tc nft sqlite3 dumpcap /usr/bin/python3 "$@"; do
        if ! command -v "$program" >/dev/null; then
            skip "$test" "no $program"
            exit 0
        fi
    done
    if [ "$(id -u)" != 0 ]; then
        skip "$test" "needs root"
    elif ! ip netns add "$lab-try" 2>/dev/null; then
        skip "$test" "no network namespaces here"
    elif ! ip netns exec "$lab-try" nft list ruleset >/dev/null 2>&1; then
        ip netns del "$lab-try"
        skip "$test" "no nft in network namespaces here"
    else
        ip netns del "$lab-try"
        return 0
    fi
    exit 0
}

clean_up() {
    local pid ns
    trap '' INT TERM
    for pid in "${started[@]}"; do
        kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    for ns in $(ip netns list | awk -v lab="$lab-" 'index($1, lab) == 1 { print $1 }'); do
        for pid in $(ip netns pids "$ns"); do # children of what was started
            kill -KILL "$pid" 2>/dev/null
        done
        ip netns del "$ns"
    done
    [ -n "${LIVE_KEEP:-}" ] && cp -r "$work" "$LIVE_KEEP" # to look into
    [ -n "$work" ] && rm -rf "$work"
}

# A folder of our own, with one in it where whoever edgewatch becomes may write.
make_work() {
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    work=$(mktemp -d)
    chmod 755 "$work"
    install -d -m 777 "$work/db"
    db=$work/db/live.db
}

# ---- namespaces ----

in_ns() { # NAMESPACE COMMAND...
    local ns=$1
    shift
    ip netns exec "$lab-$ns" "$@"
}

add_ns() { # NAMESPACE
    ip netns add "$lab-$1"
    ip -n "$lab-$1" link set lo up
}

# A cable with an interface at each end, up. Addresses are static, and so are the neighbours.
cable() { # NAMESPACE INTERFACE NAMESPACE INTERFACE
    ip -n "$lab-$1" link add "$2" type veth peer name "$4" netns "$lab-$3"
    ip -n "$lab-$1" link set "$2" up
    ip -n "$lab-$3" link set "$4" up
}

address() { # NAMESPACE INTERFACE ADDRESS/LEN...
    local ns=$1 interface=$2 a
    shift 2
    for a in "$@"; do
        case $a in
            *:*) ip -n "$lab-$ns" address add "$a" dev "$interface" nodad ;;
            *) ip -n "$lab-$ns" address add "$a" dev "$interface" ;;
        esac
    done
}

# A span port, whose end in the sensor's namespace is silent: nothing is ever sent there but copies.
span_port() { # NAMESPACE NAME
    in_ns sensor sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    in_ns "$1" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    cable "$1" "span-$2" sensor "$2"
    ip -n "$lab-$1" link set "span-$2" arp off
    ip -n "$lab-sensor" link set "$2" arp off
}

# From now on, what passes the interface either way comes out of the span port.
mirror() { # NAMESPACE INTERFACE NAME
    local direction
    tc -n "$lab-$1" qdisc add dev "$2" clsact
    for direction in ingress egress; do
        tc -n "$lab-$1" filter add dev "$2" "$direction" protocol all prio 1 u32 match u32 0 0 \
            action mirred egress mirror dev "span-$3"
    done
}

firewall_rules() { # NAMESPACE, rules on stdin
    in_ns "$1" nft -f -
}

# The whole site.
make_lab() {
    local ns
    for ns in client edge firewall peer sensor; do
        add_ns $ns
    done
    cable client net edge in
    cable edge out firewall in
    cable firewall out peer net
    address client net $client/24
    address edge in $edge_inside/24
    address edge out $edge_outside/24 $edge_outside6/64
    address firewall in $firewall/24 $firewall6/64
    address firewall out 198.51.100.1/24 2001:db8:51::1/64
    address peer net $peer/24 $peer6/64
    ip -n "$lab-client" route add default via $edge_inside
    ip -n "$lab-edge" route add default via $firewall
    ip -n "$lab-edge" -6 route add default via $firewall6
    ip -n "$lab-peer" route add default via 198.51.100.1
    ip -n "$lab-peer" -6 route add default via 2001:db8:51::1
    in_ns firewall sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    firewall_rules firewall <<-NFT
		table ip nat {
		    chain post { type nat hook postrouting priority 100; ip saddr $edge_outside snat to $edge_public; }
		    chain pre { type nat hook prerouting priority -100; ip daddr $edge_public dnat to $edge_outside; }
		}
	NFT
    span_port edge inside
    span_port edge outside
}

# ---- processes ----

# In the background; what it says goes to $work/NAME.log, its process id to $last.
start() { # NAMESPACE NAME COMMAND...
    local ns=$1 name=$2
    shift 2
    (exec ip netns exec "$lab-$ns" "$@") >"$work/$name.log" 2>&1 </dev/null &
    last=$!
    started+=("$last")
}

# Repeats the command until it succeeds.
wait_for() { # SECONDS WHAT COMMAND...
    local until=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge $until ]; then
            not_ok "wait for $what" "not in time"
            return 1
        fi
        sleep 0.1
    done
}

said() { # NAME PATTERN: a process that was started said so
    grep -qE -- "$2" "$work/$1.log"
}

ended() { # PID
    ! kill -0 "$1" 2>/dev/null
}

# ---- edgewatch ----

ew() {
    timeout 60 "$edgewatch" --config /dev/null --db "$db" "$@"
}

ask() { # SQL
    sqlite3 -readonly -bail -separator ' ' -nullvalue - "$db" "$1"
}

listening() {
    said monitor '^edgewatch: listening on '
}

# Listens on the span ports; beside it dumpcap writes the same packets to $work/span.pcapng.
start_monitor() { # OPTION...
    start sensor dumpcap dumpcap -q -i inside -i outside -w "$work/span.pcapng"
    dumpcap=$last
    start sensor monitor "$edgewatch" --config /dev/null --db "$db" \
        monitor -i inside -i outside --sensor lab "$@"
    monitor=$last
    wait_for 10 "the monitor to listen" listening
    wait_for 10 "dumpcap to listen" said dumpcap '^File: '
}

# Frames that span ports have delivered so far, as the kernel counts them.
frames_at() { # NAME...
    local name
    for name in "$@"; do
        in_ns sensor cat "/sys/class/net/$name/statistics/rx_packets"
    done
}

mirror_edge() {
    mirror edge in inside
    mirror edge out outside
}

unmirror_edge() {
    tc -n "$lab-edge" qdisc del dev in clsact
    tc -n "$lab-edge" qdisc del dev out clsact
}

# SIGTERM, right behind the last frame; then what every run of the monitor has to show.
stop_monitor() {
    local status
    kill -TERM "$monitor"
    wait "$monitor"
    status=$?
    kill -TERM "$dumpcap"
    wait "$dumpcap"
    same "SIGTERM ends the monitor with exit code 0" 0 $status
    same "the database is closed properly" ok "$(sqlite3 "$db" 'PRAGMA integrity_check' 2>&1)"
    same "the run has its end" 1 "$(ask 'SELECT count(*) FROM runs WHERE ended IS NOT NULL AND damaged IS NULL')"
    same "every frame of the span ports is in health" "$(frames_at inside outside)" \
        "$(ask "SELECT sum(packets) + sum(kernel_drops) + sum(ring_drops) FROM health
            WHERE interface IN ('inside', 'outside') GROUP BY interface ORDER BY interface")"
}

# What the same packets give when they are read from a file.
compare_with_read() { # OPTION...
    local live
    live=$(failure_rows)
    ew --db "$work/db/read.db" read -q --sensor lab "$@" "$work/span.pcapng" >"$work/read.log" 2>&1
    same "the same packets from a file give the same failures" "$live" \
        "$(db=$work/db/read.db failure_rows)"
}

# All that failures say, ids and run apart. Each capture has its own clock, microseconds apart.
failure_rows() {
    ew failures --all --format jsonl | /usr/bin/python3 -c '
import json, re, sys
times = re.compile(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d|[0-9.]+ (ms|s)\b")
rows = []
for row in map(json.loads, sys.stdin):
    for name in ("id", "event_id", "run_id", "first_seen", "last_seen", "rtt_ms"):
        del row[name]
    for name in ("explanation", "advice"):
        # a span within one second is told as one time
        row[name] = times.sub("TIME", row[name] or "").replace("TIME to TIME", "TIME")
    rows.append(" ".join("%s=%s" % pair for pair in row.items() if pair[1] is not None))
print(*sorted(rows), sep="\n")'
}

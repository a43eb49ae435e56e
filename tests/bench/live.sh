#!/bin/bash
# How many packets a second the monitor takes from an interface before the first is lost, beside a bare
# libpcap loop with the same ring: generated captures are replayed into a veth at top speed, and, where
# that is too much, at rates found by bisection.  (make bench-live [ROUNDS=3])
#
# usage: live.sh [ROUNDS [KIND [COPIES]]]      KIND bulk (media) or calls (signaling)
#
# The sender, and with it the kernel's receive path, has one processor, the program under test the
# other one. One sender may be too slow to make a counting loop lose anything, so each frame arrives
# COPIES times, in all but one of them with other addresses (nftables rewrites them): other connections,
# the same work. The programs take turns; shown are medians, and their parts of what the loop takes.
# Lost is a packet that was sent and is not in health.packets, and a row that the database did not get.
# needs: iproute2 nftables python3 sqlite3 tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
rounds=${1:-3} kind=${2:-bulk} copies=${3:-4}
seconds=4 steps=5 ring=${RING_MB:-64}
need bench-live
make_work
bin=$PWD/build/release/bench
capture=${BENCH_FOLDER:-build/bench}/$kind.pcap
if [ ! -e "$capture" ]; then
    mkdir -p build/bench
    "$bin/generate" "$kind" "$capture" --truth "build/bench/$kind.truth" 2>/dev/null
fi
cat "$capture" >/dev/null # into the page cache

add_ns site
add_ns sensor
span_port site mon
cable site feed site fed
ip -n "$lab-site" link set feed arp off
ip -n "$lab-site" link set fed arp off
# the first byte of both addresses, and back again in the next frame
{
    printf 'table netdev copies {\n chain from_feed { type filter hook ingress device "fed" priority 0;\n'
    for ((i = 0; i < copies; i++)); do
        [ $i = 0 ] || printf '  ether type ip @nh,96,8 set %d\n  ether type ip @nh,128,8 set %d\n' $((20 + i)) $((30 + i))
        printf '  dup to "span-mon"\n'
    done
    printf '  drop\n }\n}\n'
} | firewall_rules site

begin() { # PROGRAM
    rm -f "$db"*
    case $1 in
    loop) start sensor receiver taskset -c $(($(nproc) > 1)) "$bin/loop_live" mon "$ring" ;;
    *)
        local options=()
        [ "$1" = monitor ] && options=(--no-shed)
        [ "$1" = media-dropped ] && options=(--shed-above 100000)
        start sensor receiver taskset -c $(($(nproc) > 1)) "$edgewatch" --config /dev/null --db "$db" \
            monitor -i mon --ring-mb "$ring" --sensor bench "${options[@]}"
        ;;
    esac
    receiver=$last
    wait_for 10 "$1 to listen" said receiver 'listening on '
}

# Sends for some seconds (rate 0: top speed); prints the rate that arrived and how many were lost.
trial() { # PROGRAM RATE-OF-THE-SENDER
    local program=$1 rate=$2 sent packets arrived options=()
    begin "$program"
    [ "$rate" = 0 ] || options=(--rate "$rate")
    read -r packets _ _ _ _ _ sent _ < <(in_ns site taskset -c 0 chrt -f 20 timeout -s TERM $seconds "$bin/send" feed "$capture" "${options[@]}")
    sent=${sent%%.*}
    sleep 0.3
    kill -TERM "$receiver"
    wait "$receiver"
    if [ "$program" = loop ]; then
        arrived=$(awk '/ packets, / { print $1 }' "$work/receiver.log")
    else
        arrived=$(ask "SELECT sum(packets) + sum(shed_dropped) - (SELECT sum(queue_lost) FROM health) FROM health WHERE interface = 'mon'")
    fi
    echo $((sent * copies)) $((packets * copies - ${arrived:-0}))
}

# The highest rate without loss.
highest() { # PROGRAM
    local rate lost low=0 high i sender
    read -r rate lost < <(trial "$1" 0)
    if [ "$lost" -le 0 ]; then
        echo "$rate"
        return
    fi
    high=$((rate / copies)) best=0
    for ((i = 0; i < steps; i++)); do
        sender=$(((low + high) / 2))
        read -r rate lost < <(trial "$1" $sender)
        if [ "$lost" -le 0 ]; then
            low=$sender best=$rate
        else
            high=$sender
        fi
    done
    echo "$best"
}

programs='loop monitor shedding media-dropped'
for ((round = 0; round < rounds; round++)); do
    for program in $programs; do
        highest $program >>"$work/$program.rates"
    done
done
median() { # PROGRAM
    sort -n "$work/$1.rates" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
echo "$kind, ring $ring MB, $copies copies, $rounds rounds of $seconds s; packets per second without loss (median), of the loop:"
for program in $programs; do
    printf '  %-14s %9d  %4d %%   (%s)\n' $program "$(median $program)" \
        $((100 * $(median $program) / $(median loop))) "$(tr '\n' ' ' <"$work/$program.rates")"
done
same "the loop loses nothing at some rate" 1 "$(($(median loop) > 0))"
verdict "the monitor, nothing cut, takes 70 % of it" "$([ $((100 * $(median monitor))) -ge $((70 * $(median loop))) ] || echo less)"
verdict "with load shedding 95 %" "$([ $((100 * $(median shedding))) -ge $((95 * $(median loop))) ] || echo less)"
finish

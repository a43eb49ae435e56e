#!/bin/bash
# Every sample as two span ports would have it, read at different times: what the clients send and
# receive in one file, the rest in another. Together or one after the other, in either order, on one
# database, they give the failures of the whole. Both spans end with the same packet, as spans of one
# evening do: how long nothing more came is part of what a span shows.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh

split() { # FILE CLIENTS-NETWORK
    local last
    last=$(tshark -r "$1" -T fields -e frame.number 2>/dev/null | tail -n 1)
    tshark -r "$1" -F pcap -w "$work/inside" -Y "ip.addr == $2 or frame.number == $last" 2>/dev/null &&
        tshark -r "$1" -F pcap -w "$work/outside" -Y "not ip.addr == $2 or frame.number == $last" 2>/dev/null
}

for name in $(awk '$1 == "case" { print $2 }' pcaps/INDEX); do
    file=$(paths "$name")
    story=$(of_case "$name" story)
    [ -n "$story" ] && [ "$(wc -w <<<"$file")" = 1 ] || continue # the others are two files already
    if ! split "$file" "10.$story.2.0/24"; then
        not_ok "$name: in two spans" "tshark could not split it"
        continue
    fi
    # shellcheck disable=SC2046 # options are words
    set -- $(of_case "$name" args)
    rm -f "$work"/*.db*
    read_into "$work/whole.db" "$@" "$file"
    read_into "$work/both.db" "$@" "$work/inside" "$work/outside"
    for first in inside outside; do
        other=$([ $first = inside ] && echo outside || echo inside)
        read_into "$work/$first.db" "$@" "$work/$first"
        read_into "$work/$first.db" "$@" "$work/$other"
    done
    whole "$work/whole.db" >"$work/expected"
    for db in both inside outside; do
        same "$name: in two spans ($db)" "$(cat "$work/expected")" "$(whole "$work/$db.db")"
    done
done
finish

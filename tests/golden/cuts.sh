#!/bin/bash
# Captures that end anywhere: no crash, no leak, nothing for a sanitizer to say.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh
captures=${EW_CAPTURES:-../shared/captures}

build/asan/golden/cuts pcaps/*.pcap || not_ok "cut samples" "ended with status $?"
if ls "$captures"/*.pcap >/dev/null 2>&1; then
    build/asan/golden/cuts "$captures"/*.pcap "$captures"/*.pcapng ||
        not_ok "cut captures" "ended with status $?"
else
    skip "cut captures" "no captures in $captures"
fi
finish

#!/bin/bash
# Every real capture, read twice into one database, gives the failures that it gave the first time.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh
captures=${EW_CAPTURES:-../shared/captures}
if [ ! -d "$captures" ]; then
    skip "real captures read twice" "no $captures"
    finish
fi
some=0
for file in "$captures"/*.pcap "$captures"/*.pcapng; do
    name=$(basename "$file")
    rm -f "$work/twice.db"*
    read_into "$work/twice.db" "$file" # damaged ones too: what stood before the damage is there
    [ -s "$work/twice.db" ] || continue
    once=$(whole "$work/twice.db")
    [ -z "$once" ] || some=$((some + 1))
    read_into "$work/twice.db" "$file"
    same "$name: read twice" "$once" "$(whole "$work/twice.db")"
done
verdict "some of them have failures" "$([ $some -ge 5 ] || echo "only $some")"
finish

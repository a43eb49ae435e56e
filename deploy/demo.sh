#!/bin/bash
# Reads the sample captures of the federated incident and tells its story (make demo).
set -eu
cd "$(dirname "$0")/.."
db=build/demo.db
bare=build/demo-encrypted.db
rm -f $db* $bare*

say() {
    printf '\n\033[1m%s\033[0m\n' "$*"
}
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

run() {
    say "\$ $*"
    "$@"
}

say "Two span ports saw one call fail: the internal one with its signaling, the external one."
run ./edgewatch --db $db read pcaps/incident1-sip-internal.pcap pcaps/incident1-external.pcap
run ./edgewatch --db $db failures
run ./edgewatch --db $db show 1

say "The same call where nobody could read the signaling: the relay protocol alone names both ends (grade B)."
run ./edgewatch --db $bare --quiet read pcaps/incident1-internal.pcap pcaps/incident1-external.pcap
run ./edgewatch --db $bare failures

say "The rows stay in $db: ./edgewatch --db $db calls, or sqlite3 $db 'SELECT * FROM failures'"

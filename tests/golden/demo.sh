#!/bin/bash
# What a new user sees first: make demo tells the incident as it was published, and claims nothing
# more; the picture in README.md is cut out of it.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh
said=$(deploy/demo.sh 2>&1) && ok "the demo runs" || not_ok "the demo runs" "exit $?"

tells() { # NAME PATTERN...: each is in some line
    local name=$1 pattern missing=
    shift
    for pattern in "$@"; do
        grep -qE -- "$pattern" <<<"$said" || missing+="no line has: $pattern"$'\n'
    done
    verdict "$name" "${missing%$'\n'}"
}

# Addresses, ports, times and sequence numbers of the published analysis.
tells "both legs" 'client-relay +10\.98\.2\.1:13211 -> 10\.3\.0\.34:443' \
    'relay-peer +10\.3\.0\.40:58138 -> 1\.1\.1\.1:50704'
tells "the candidates of the offer" 'offer +host .*10\.98\.2\.1:21916' 'offer +host .*10\.98\.2\.1:18574' \
    'offer +relay .*2\.2\.2\.2:58138 +10\.98\.2\.1:13211'
tells "the candidates of the answer" 'answer +host .*10\.26\.10\.50:50058' 'answer .*1\.1\.1\.1:50704'
tells "three SYNs" '10:43:59\.456 .*SYN 3074395695' '10:44:00\.002 .*SYN' '10:44:00\.548 .*SYN'
tells "three RSTs" '10:43:59\.499 .*RST' '10:44:00\.044 .*RST' '10:44:00\.590 .*RST'
tells "the alias, and that it is learned" '10\.3\.0\.40 = 2\.2\.2\.2 \(learned'
tells "grade and verdict" '^FAILURE 1: refused, relay-peer, grade A' 'grade +A'
tells "hypotheses and what decides" 'hypotheses, none of them proven' 'own-outbound-range-blocked, possible' \
    'far-side-refuses, possible' 'would settle'
tells "that the sender of the RSTs is not known" 'who sent the RSTs'
tells "grade B where signaling is not readable" ' 1/3 +B '
verdict "no cause is called certain" "$(grep -E 'likely$|, likely' <<<"$said")"

missing=$(sed -n '/^From `make demo`/,/^## /p' README.md | sed -n 's/^    //p' | grep -vE '^\$|^ *\.\.\.$' |
    while IFS= read -r line; do
        grep -qxF -- "$line" <<<"$said" || echo "not in the output: $line"
    done)
verdict "README shows what the program says" "$missing"
finish

# The samples and what is asked of them (sourced by samples.sh and spans.sh).
# shellcheck shell=bash
. tests/help/protocol.sh
edgewatch=${EDGEWATCH:-$PWD/edgewatch}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ---- pcaps/INDEX ----

# Lines of one keyword of a case, without the keyword.
of_case() { # CASE KEYWORD
    awk -v name="$1" -v key="$2" '
        $1 == "case" { on = $2 == name }
        on && $1 == key { $1 = ""; sub(/^ */, ""); print }' pcaps/INDEX
}

paths() { # CASE: its files with their folder
    of_case "$1" files | tr ' ' '\n' | sed '/./s,^,pcaps/,'
}

# ---- one database ----

ask() { # DB SQL
    sqlite3 -readonly -bail -separator ' ' "$1" "$2"
}

# The rows as `expect` has them: leg verdict severity src dst grade confidence.
rows() { # DB
    ask "$1" "
        SELECT ifnull(leg, '-'), verdict, severity,
            CASE WHEN src_addr IS NULL THEN '-' WHEN src_addr LIKE '%:%'
                THEN '[' || src_addr || ']:' || src_port ELSE src_addr || ':' || src_port END,
            CASE WHEN dst_addr IS NULL THEN '-' WHEN dst_addr LIKE '%:%'
                THEN '[' || dst_addr || ']:' || dst_port ELSE dst_addr || ':' || dst_port END,
            ifnull(grade, '-'), ifnull(confidence, '-')
        FROM failures ORDER BY 1, 2, 3, 4, 5"
}

# Everything a failure says, its row ids, run and sensor apart, with its findings.
whole() { # DB
    sqlite3 -readonly -bail -json "$1" "
        SELECT event_id, first_seen, last_seen, leg, transport, verdict, severity, src_addr, src_port,
            src_public, dst_addr, dst_port, attempts, syns, rsts, rtt_ms, icmp_type, icmp_code,
            icmp_from, grade, matched_by, confidence, call_id, caller, callee, medium,
            local_candidate, remote_candidate, client_addr, client_port, finding, explanation,
            advice, capture_quality,
            (SELECT group_concat(code || ' ' || confidence || ' ' || evidence) FROM findings
                WHERE scope = 'failure:' || f.id) AS findings
        FROM failures f ORDER BY event_id" | sed 's/},{/},\n{/g; s/,"/,\n  "/g'
}

read_into() { # DB FILES...
    local db=$1
    shift
    "$edgewatch" --db "$db" --config /dev/null read -q "$@" >"$work/said" 2>&1
}

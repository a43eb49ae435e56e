/* The reading side's SQL texts. */
#include "storage/statements.h"

/* Spans are asked of the tables, where times are integers with an index. What has no end yet is
 * taken to last as long as its run. */
#define SPAN(table, first, last) \
    "id IN (SELECT id FROM " table " WHERE " first " <= :until AND " last " >= :since)"
#define RUN_LAST "(SELECT r.last_us FROM run r WHERE r.id = run_id)"
#define OF_DOMAIN(user) "substr(lower(" user "), -length(:partner) - 1) = '@' || lower(:partner)"
#define TEXT_SPAN(first, last) first " <= :until_text AND " last " >= :since_text"

/* By the index of the beginning from an hour before the period on; what lasted longer, or has no
 * end or no beginning, has indexes of its own. */
#define HOUR "3600000000"
#define FAR_SPAN(table)                                                                          \
    "id IN (SELECT id FROM " table " WHERE started_us BETWEEN :since - " HOUR                    \
    " AND :until AND coalesce(ended_us, " RUN_LAST ", started_us) >= :since"                     \
    " UNION ALL SELECT id FROM " table " INDEXED BY " table                                      \
    "_long WHERE ended_us - started_us > " HOUR                                                  \
    " AND ended_us >= :since AND started_us < :since - " HOUR " UNION ALL SELECT id FROM " table \
    " INDEXED BY " table "_open WHERE ended_us IS NULL"                                          \
    " AND started_us < :since - " HOUR " AND coalesce(" RUN_LAST ", started_us) >= :since"       \
    " UNION ALL SELECT id FROM " table " INDEXED BY " table "_undated WHERE started_us IS NULL"  \
    " AND ended_us <= :until AND ended_us >= :since)"
/* Each different user once, by leaps through the index. */
#define USERS(table, column)                                                                   \
    "SELECT t.id FROM (WITH RECURSIVE each(u) AS (SELECT min(" column ") FROM " table          \
    " UNION ALL SELECT (SELECT min(" column ") FROM " table " WHERE " column " > u) FROM each" \
    " WHERE u IS NOT NULL) SELECT u FROM each WHERE instr(lower(u), lower(:user))) w"          \
    " CROSS JOIN " table " t ON t." column " = w.u"
#define FAR_USER(table) "id IN (" USERS(table, "caller") " UNION ALL " USERS(table, "callee") ")"
#define WITH(table, column) "SELECT id FROM " table " WHERE " column " = :addr"

const struct view_sql statements_view[VIEWS] = {
    [VIEW_FAILURES] =
        {
            .name = "failures",
            .span = SPAN("failure", "first_us", "last_us"),
            .user = "(instr(lower(caller), lower(:user)) OR instr(lower(callee), lower(:user)))",
            .call = "call_id = :call",
            /* a relay's failures are its server's, too */
            .addr = "(:addr IN (src_addr, src_public, dst_addr, client_addr, icmp_from) OR EXISTS"
                    " (SELECT 1 FROM failure k JOIN allocation a ON a.id = k.allocation_row"
                    " WHERE k.id = failures.id AND a.server_addr = :addr))",
            .verdict = "verdict = :verdict",
            .finding = "(finding = :finding OR id IN"
                       " (SELECT failure_id FROM finding WHERE code = :finding))",
            .id = "id = :id",
            .partner = "((:partner IN (src_addr, src_public, dst_addr) AND leg <> 'client-relay') "
                       "OR " OF_DOMAIN("caller") " OR " OF_DOMAIN("callee") ")",
            .grade = "grade = :grade",
            .after = "id > :after",
            .plain = "severity = 'failure'",
            .order = "first_seen, id",
            .table = "failure",
            .far_span = "id IN (SELECT id FROM failure WHERE first_us BETWEEN :since - " HOUR
                        " AND :until AND last_us >= :since UNION ALL SELECT id FROM failure INDEXED"
                        " BY failure_long WHERE last_us - first_us > " HOUR
                        " AND last_us >= :since AND first_us < :since - " HOUR ")",
            .far_user = FAR_USER("failure"),
            .far_addr = "id IN (" WITH("failure", "src_addr") " UNION ALL " WITH(
                "failure",
                "src_"
                "public") " UNION ALL " WITH("failure",
                                             "dst_addr") " UNION ALL " WITH("failure",
                                                                            "client_addr") " UNION "
                                                                                           "ALL"
                                                                                           " " WITH(
                                                                                               "fai"
                                                                                               "lur"
                                                                                               "e",
                                                                                               "icm"
                                                                                               "p_"
                                                                                               "fro"
                                                                                               "m") " "
                                                                                                    "U"
                                                                                                    "N"
                                                                                                    "I"
                                                                                                    "O"
                                                                                                    "N"
                                                                                                    " "
                                                                                                    "A"
                                                                                                    "L"
                                                                                                    "L"
                                                                                                    " "
                                                                                                    "S"
                                                                                                    "E"
                                                                                                    "L"
                                                                                                    "E"
                                                                                                    "C"
                                                                                                    "T"
                                                                                                    " "
                                                                                                    "k"
                                                                                                    "."
                                                                                                    "i"
                                                                                                    "d"
                                                                                                    " "
                                                                                                    "F"
                                                                                                    "R"
                                                                                                    "O"
                                                                                                    "M"
                                                                                                    " "
                                                                                                    "a"
                                                                                                    "l"
                                                                                                    "l"
                                                                                                    "o"
                                                                                                    "c"
                                                                                                    "a"
                                                                                                    "t"
                                                                                                    "i"
                                                                                                    "o"
                                                                                                    "n"
                                                                                                    " "
                                                                                                    "a"
                                                                                                    " "
                                                                                                    "C"
                                                                                                    "R"
                                                                                                    "O"
                                                                                                    "S"
                                                                                                    "S"
                                                                                                    " "
                                                                                                    "J"
                                                                                                    "O"
                                                                                                    "I"
                                                                                                    "N"
                                                                                                    " "
                                                                                                    "f"
                                                                                                    "a"
                                                                                                    "i"
                                                                                                    "l"
                                                                                                    "u"
                                                                                                    "r"
                                                                                                    "e"
                                                                                                    " "
                                                                                                    "k"
                                                                                                    " "
                                                                                                    "O"
                                                                                                    "N"
                                                                                                    " "
                                                                                                    "k"
                                                                                                    "."
                                                                                                    "a"
                                                                                                    "l"
                                                                                                    "l"
                                                                                                    "o"
                                                                                                    "c"
                                                                                                    "a"
                                                                                                    "t"
                                                                                                    "i"
                                                                                                    "o"
                                                                                                    "n"
                                                                                                    "_"
                                                                                                    "r"
                                                                                                    "o"
                                                                                                    "w"
                                                                                                    " "
                                                                                                    "="
                                                                                                    " "
                                                                                                    "a"
                                                                                                    "."
                                                                                                    "i"
                                                                                                    "d"
                                                                                                    " "
                                                                                                    "W"
                                                                                                    "H"
                                                                                                    "E"
                                                                                                    "R"
                                                                                                    "E"
                                                                                                    " "
                                                                                                    "a"
                                                                                                    "."
                                                                                                    "s"
                                                                                                    "e"
                                                                                                    "r"
                                                                                                    "v"
                                                                                                    "e"
                                                                                                    "r"
                                                                                                    "_"
                                                                                                    "a"
                                                                                                    "d"
                                                                                                    "d"
                                                                                                    "r"
                                                                                                    " "
                                                                                                    "="
                                                                                                    " "
                                                                                                    ":"
                                                                                                    "a"
                                                                                                    "d"
                                                                                                    "d"
                                                                                                    "r"
                                                                                                    ")",
        },
    [VIEW_ATTEMPTS] =
        {
            .name = "attempts",
            .span = SPAN("attempt", "first_us", "last_us"),
            .addr = ":addr IN (src_addr, dst_addr, icmp_from)",
            .verdict = "verdict = :verdict",
            .id = "id = :id",
            .failure = "failure_id = :failure",
            .order = "first_seen, id",
        },
    [VIEW_CALLS] =
        {
            .name = "calls",
            .span = SPAN("call", "coalesce(started_us, answered_us, ended_us)",
                         "coalesce(ended_us, " RUN_LAST ", answered_us, started_us)"),
            .user = "(instr(lower(caller), lower(:user)) OR instr(lower(callee), lower(:user)))",
            .call = "call_id = :call",
            .addr = "id IN (SELECT call_row FROM sdp WHERE instr(offer, '\"' || :addr || '\"')"
                    " OR instr(answer, '\"' || :addr || '\"'))",
            .id = "id = :id",
            .grade = "grade = :grade",
            .order = "started, id",
            .table = "call",
            .far_span = FAR_SPAN("call"),
            .far_user = FAR_USER("call"),
        },
    [VIEW_CANDIDATES] =
        {
            .name = "candidates",
            .call = "call_id = :call",
            .addr = ":addr IN (addr, rel_addr)",
        },
    [VIEW_ALLOCATIONS] =
        {
            .name = "allocations",
            .span = SPAN("allocation", "coalesce(started_us, ended_us)",
                         "coalesce(ended_us, " RUN_LAST ", started_us)"),
            .addr = ":addr IN (client_addr, server_addr, relay_addr, wire_addr, reflexive_addr)",
            .id = "id = :id",
            .order = "started, id",
            .table = "allocation",
            .far_span = FAR_SPAN("allocation"),
            .far_addr = "id IN (" WITH("allocation", "client_addr") " UNION ALL " WITH(
                "allocation",
                "s"
                "e"
                "r"
                "v"
                "e"
                "r"
                "_"
                "a"
                "d"
                "d"
                "r") " UNION ALL " WITH("allocation",
                                        "relay_addr") " UNION ALL " WITH("allocation",
                                                                         "wire_addr") " UNION "
                                                                                      "ALL " WITH(
                                                                                          "allocati"
                                                                                          "o"
                                                                                          "n",
                                                                                          "reflexiv"
                                                                                          "e"
                                                                                          "_addr") ")",
        },
    [VIEW_ALIASES] =
        {
            .name = "aliases",
            .addr = ":addr IN (private_addr, public_addr)",
            .order = "private_addr, public_addr",
        },
    [VIEW_DIAGNOSTICS] =
        {
            .name = "diagnostics",
            .span = TEXT_SPAN("seen", "seen"),
            .call = "call_id = :call",
            .order = "seen",
        },
    [VIEW_PACKETS] =
        {
            .name = "packets",
            .span = TEXT_SPAN("seen", "seen"),
            .failure = "attempt_id IN (SELECT id FROM attempt WHERE failure_id = :failure)",
            .order = "seen",
        },
    [VIEW_TRAFFIC] =
        {
            .name = "traffic",
            .span = "hour <= :until_text AND hour > :hour_before",
            .addr = "src_addr = :addr",
            .order = "hour, src_addr, dst_net, dst_port_from",
        },
    [VIEW_HEALTH] =
        {
            .name = "health",
            .span = TEXT_SPAN("from_time", "to_time"),
            .order = "from_time, run_id, interface",
            .table = "health_span", /* rows last a minute, an hour beside a pause in a file */
            .far_span = "from_time BETWEEN :day_before AND :until_text AND to_time >= :since_text",
        },
    [VIEW_RUNS] =
        {
            .name = "runs",
            .span = SPAN("run", "coalesce(first_us, started_us)",
                         "coalesce(last_us, ended_us, started_us)"),
            .id = "id = :id",
            .order = "id",
        },
    [VIEW_FINDINGS] =
        {
            .name = "findings",
            .finding = "code = :finding",
            .failure = "scope = 'failure:' || :failure",
        },
    [VIEW_LOGS] =
        {
            .name = "logs",
            .span = SPAN("log", "first_us", "last_us"),
            .id = "id = :id",
            .order = "id",
        },
    [VIEW_TLS_SESSIONS] =
        {
            .name = "tls_sessions",
            .span = TEXT_SPAN("first_seen", "last_seen"),
            .addr = ":addr IN (client_addr, server_addr)",
            .id = "id = :id",
            .order = "first_seen, id",
        },
    [VIEW_SENDS] =
        {
            .name = "sends",
            .addr = "peer_addr = :addr",
            .id = "allocation_id = :id",
            .order = "first_seen",
        },
};

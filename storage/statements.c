/* The reading side's SQL texts. */
#include "storage/statements.h"

/* Spans are asked of the tables, where times are integers with an index. What has no end yet is
 * taken to last as long as its run. */
#define SPAN(table, first, last) \
    "id IN (SELECT id FROM " table " WHERE " first " <= :until AND " last " >= :since)"
#define EACH_SPAN(view, table, first, last)                                                        \
    "EXISTS (SELECT 1 FROM " table " x WHERE x.id = " view ".id AND " first " <= :until AND " last \
    " >= :since)"
#define RUN_LAST "(SELECT r.last_us FROM run r WHERE r.id = run_id)"
#define OF_DOMAIN(user) "substr(lower(" user "), -length(:partner) - 1) = '@' || lower(:partner)"
#define TEXT_SPAN(first, last) first " <= :until_text AND " last " >= :since_text"

/* The usual rows of a period begin in it or up to an hour before; what lasted longer, or has no end
 * or no beginning, has indexes of its own and comes before all of those. */
#define HOUR "3600000000"
#define FAILURE_USUAL "first_us BETWEEN :since - " HOUR " AND :until AND last_us >= :since"
#define FAILURE_OTHER                                                                 \
    "SELECT id FROM failure INDEXED BY failure_long WHERE last_us - first_us > " HOUR \
    " AND last_us >= :since AND first_us < :since - " HOUR
#define USUAL                                                                          \
    "started_us BETWEEN :since - " HOUR " AND :until AND coalesce(ended_us, " RUN_LAST \
    ", started_us) >= :since"
#define OTHER(table)                                                                             \
    "SELECT id FROM " table " INDEXED BY " table "_long WHERE ended_us - started_us > " HOUR     \
    " AND ended_us >= :since AND started_us < :since - " HOUR " UNION ALL SELECT id FROM " table \
    " INDEXED BY " table "_open WHERE ended_us IS NULL"                                          \
    " AND started_us < :since - " HOUR " AND coalesce(" RUN_LAST ", started_us) >= :since"       \
    " UNION ALL SELECT id FROM " table " INDEXED BY " table "_undated WHERE started_us IS"       \
    " NULL AND ended_us <= :until AND ended_us >= :since"
#define FAR(table, usual, other) \
    "id IN (SELECT id FROM " table " WHERE " usual " UNION ALL " other ")"
/* Users are listed (grown.c), each once. */
#define USERS(table, column)                                                                  \
    "SELECT t.id FROM " table "_user w CROSS JOIN " table " t ON t." column " = w.name WHERE" \
    " instr(lower(w.name), lower(:user))"
#define FAR_USER(table) "id IN (" USERS(table, "caller") " UNION ALL " USERS(table, "callee") ")"
/* Out of an index each, where one condition over several columns would look at every row. */
/* clang-format off */
#define WITH(table, column) "SELECT id FROM " table " WHERE " column " = :addr"
#define OR_WITH(table, column) " UNION ALL " WITH(table, column)
#define FAR_FAILURE_ADDR                                                                      \
    "id IN (" WITH("failure", "src_addr") OR_WITH("failure", "src_public")                    \
    OR_WITH("failure", "dst_addr") OR_WITH("failure", "client_addr")                          \
    OR_WITH("failure", "icmp_from") " UNION ALL SELECT k.id FROM allocation a CROSS JOIN"     \
    " failure k ON k.allocation_row = a.id WHERE a.server_addr = :addr)"
#define FAR_ALLOCATION_ADDR                                                                   \
    "id IN (" WITH("allocation", "client_addr") OR_WITH("allocation", "server_addr")          \
    OR_WITH("allocation", "relay_addr") OR_WITH("allocation", "wire_addr")                    \
    OR_WITH("allocation", "reflexive_addr") ")"
/* clang-format on */

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
            /* the index of verdicts lets much through: it is used where it is meant only */
            .verdict = "+verdict = :verdict",
            .finding = "(finding = :finding OR EXISTS (SELECT 1 FROM finding k"
                       " WHERE k.failure_id = failures.id AND k.code = :finding))",
            .id = "id = :id",
            .partner = "((:partner IN (src_addr, src_public, dst_addr) AND leg <> 'client-relay') "
                       "OR " OF_DOMAIN("caller") " OR " OF_DOMAIN("callee") ")",
            .grade = "grade = :grade",
            .after = "id > :after",
            .plain = "severity = 'failure'",
            .order = "first_seen, id",
            .table = "failure",
            .far_span = FAR("failure", FAILURE_USUAL, FAILURE_OTHER),
            .each_span = EACH_SPAN("failures", "failure", "first_us", "last_us"),
            .time = "first_us",
            .usual = FAILURE_USUAL,
            .other = "id IN (" FAILURE_OTHER ")",
            .far_user = FAR_USER("failure"),
            .far_addr = FAR_FAILURE_ADDR,
            .far_verdict = "id IN (SELECT id FROM failure WHERE verdict = :verdict)",
            .far_finding = "id IN (SELECT id FROM failure WHERE finding = :finding UNION ALL"
                           " SELECT failure_id FROM finding WHERE code = :finding)",
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
            .addr =
                "EXISTS (SELECT 1 FROM sdp WHERE call_row = calls.id AND"
                " (instr(offer, '\"' || :addr || '\"') OR instr(answer, '\"' || :addr || '\"')))",
            .id = "id = :id",
            .grade = "grade = :grade",
            .order = "started, id",
            .table = "call",
            .far_span = FAR("call", USUAL, OTHER("call")),
            .time = "started_us",
            .usual = USUAL,
            .other = "id IN (" OTHER("call") ")",
            .each_span = EACH_SPAN("calls", "call", "coalesce(started_us, answered_us, ended_us)",
                                   "coalesce(ended_us, " RUN_LAST ", answered_us, started_us)"),
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
            .far_span = FAR("allocation", USUAL, OTHER("allocation")),
            .time = "started_us",
            .usual = USUAL,
            .other = "id IN (" OTHER("allocation") ")",
            .each_span = EACH_SPAN("allocations", "allocation", "coalesce(started_us, ended_us)",
                                   "coalesce(ended_us, " RUN_LAST ", started_us)"),
            .far_addr = FAR_ALLOCATION_ADDR,
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

/* The rows of one period, slim, in temporary tables. */
#include "storage/period.h"

#define WEEK "604800000000"

/* A partner goes by its name where that is known, else by the address of its relay. */
#define PARTNER "peer_addr"

static const char *const texts[] = {
    "PRAGMA temp.cache_size = -32768", /* 32 MiB; what is more goes to a temporary file */
    "DROP TABLE IF EXISTS temp.p_failure",
    "DROP TABLE IF EXISTS temp.p_traffic",
    "DROP TABLE IF EXISTS temp.p_net",
    "DROP TABLE IF EXISTS temp.p_before",

    /* the limit keeps SQLite from asking anew which end is ours for every column */
    "CREATE TEMP TABLE p_failure AS SELECT id, first_us, last_us, leg, transport, verdict, info,"
    " edge_addr AS edge, " PARTNER " AS partner, peer_addr AS peer, addr_net(peer_addr) AS net,"
    " of_partner AND peer_addr IS NOT NULL AS of_partner, dst_port, peer_port, attempts, syns,"
    " quality = 'lossy' AS lossy, call_id,"
    " CASE WHEN instr(caller, '@') THEN substr(caller, instr(caller, '@') + 1) END AS caller,"
    " CASE WHEN instr(callee, '@') THEN substr(callee, instr(callee, '@') + 1) END AS callee,"
    " rtrim(rtrim(local_candidate, '0123456789abcdef.:[]')) AS local,"
    " rtrim(rtrim(remote_candidate, '0123456789abcdef.:[]')) AS remote"
    " FROM (SELECT id, first_us, last_us, leg, transport, verdict, info, edge_addr, peer_addr,"
    " of_partner, dst_port, peer_port, attempts, syns, quality, call_id, caller, callee,"
    " local_candidate, remote_candidate FROM failure_ends WHERE first_us <= :until AND last_us >="
    " :since LIMIT -1)",

    "CREATE TEMP TABLE p_traffic AS SELECT hour_us, coalesce((SELECT public_addr FROM alias WHERE"
    " private_addr = t.src_addr ORDER BY public_addr IN (SELECT edge FROM p_failure) DESC,"
    " configured DESC, ports_seen DESC LIMIT 1), src_addr) AS edge, dst_net, port_from, port_to,"
    " transport, attempts, connected, refused, timeout, other FROM (SELECT hour_us, src_addr,"
    " dst_net, port_from, port_to, transport, sum(connected + refused + timeout + other) AS"
    " attempts, sum(connected) AS connected, sum(refused) AS refused, sum(timeout) AS timeout,"
    " sum(other) AS other FROM traffic_hour WHERE hour_us <= :until AND"
    " hour_us > :since - 3600000000 GROUP BY 1, 2, 3, 4, 5, 6) t",

    "CREATE TEMP TABLE p_net AS SELECT DISTINCT partner, net FROM p_failure WHERE of_partner AND"
    " net IS NOT NULL",

    "CREATE TEMP TABLE p_before AS SELECT " PARTNER " AS partner, count(*) AS failures,"
    " min(first_us) AS first_us, max(last_us) AS last_us FROM (SELECT first_us, last_us, peer_addr,"
    " of_partner FROM failure_ends WHERE first_us < :since AND last_us >= :since - " WEEK
    " LIMIT -1) WHERE of_partner AND peer_addr IS NOT NULL GROUP BY 1",
};

static int run(struct db *db, const char *text, int64_t since, int64_t until)
{
    sqlite3_stmt *s = db_prepare(db, text);
    if (!s)
        return -1;
    int at = sqlite3_bind_parameter_index(s, ":since");
    if (at)
        sqlite3_bind_int64(s, at, since);
    if ((at = sqlite3_bind_parameter_index(s, ":until")))
        sqlite3_bind_int64(s, at, until);
    int rc = sqlite3_step(s);
    int result = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : db_fault(db, "read");
    sqlite3_finalize(s);
    return result;
}

/* Changes when another connection has written. -1: cannot be asked. */
static int64_t data_version(struct db *db)
{
    sqlite3_stmt *s = db_prepare(db, "PRAGMA data_version");
    int64_t v = s && sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    return v;
}

int period_make(struct period *p, struct db *db, int64_t since_us, int64_t until_us)
{
    int64_t version = data_version(db);
    if (p->made && version >= 0 && p->version == version && p->since_us == since_us &&
        p->until_us == until_us)
        return 0;
    p->made = false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (run(db, texts[i], since_us, until_us) != 0)
            return -1;
    *p = (struct period){true, since_us, until_us, version};
    return 0;
}

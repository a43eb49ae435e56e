/* The rows of one period, slim, in temporary tables. */
#include "storage/period.h"

#include "storage/text.h"

#include <string.h>

#define WEEK "604800000000"

/* A partner goes by its name where that is known, else by the address of its relay. The name is a
 * column of the view failures; a database whose view has none knows no names. */
#define NAMED "coalesce((SELECT v.partner FROM failures v WHERE v.id = e.id), peer_addr)"
#define UNNAMED "peer_addr"

/* '@' stands for one of these. */
static const char *const texts[] = {
    "PRAGMA temp.cache_size = -8192", /* 8 MiB; what is more goes to a temporary file */
    "DROP TABLE IF EXISTS temp.p_failure",
    "DROP TABLE IF EXISTS temp.p_traffic",
    "DROP TABLE IF EXISTS temp.p_net",
    "DROP TABLE IF EXISTS temp.p_before",

    /* + leaves the index of last_us: of a large database the end of a period is mostly its end,
     * too; the limit keeps SQLite from asking anew which end is ours for every column */
    "CREATE TEMP TABLE p_failure AS SELECT id, first_us, last_us, leg, transport, verdict, info,"
    " edge_addr AS edge, @ AS partner, peer_addr AS peer, addr_net(peer_addr) AS net,"
    " of_partner AND peer_addr IS NOT NULL AS of_partner, dst_port, peer_port, attempts, syns,"
    " quality = 'lossy' AS lossy, call_id,"
    " CASE WHEN instr(caller, '@') THEN substr(caller, instr(caller, '@') + 1) END AS caller,"
    " CASE WHEN instr(callee, '@') THEN substr(callee, instr(callee, '@') + 1) END AS callee,"
    " rtrim(rtrim(local_candidate, '0123456789abcdef.:[]')) AS local,"
    " rtrim(rtrim(remote_candidate, '0123456789abcdef.:[]')) AS remote"
    " FROM (SELECT id, first_us, last_us, leg, transport, verdict, info, edge_addr, peer_addr,"
    " of_partner, dst_port, peer_port, attempts, syns, quality, call_id, caller, callee,"
    " local_candidate, remote_candidate FROM failure_ends WHERE +first_us <= :until AND last_us >="
    " :since LIMIT -1) e",

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

    "CREATE TEMP TABLE p_before AS SELECT @ AS partner, count(*) AS failures,"
    " min(first_us) AS first_us, max(last_us) AS last_us FROM (SELECT id, first_us, last_us, "
    "peer_addr,"
    " of_partner FROM failure_ends WHERE +first_us < :since AND last_us >= :since - " WEEK
    " LIMIT -1) e WHERE of_partner AND peer_addr IS NOT NULL GROUP BY 1",
};

static bool has_names(struct db *db)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db->handle, "SELECT partner FROM failures", -1, &s, NULL);
    sqlite3_finalize(s);
    return rc == SQLITE_OK;
}

static sqlite3_stmt *prepare(struct db *db, const char *text, const char *partner)
{
    struct text sql = {0};
    const char *at = strstr(text, "@ AS");
    text_raw(&sql, text, at ? (size_t)(at - text) : strlen(text));
    if (at) {
        text_put(&sql, partner);
        text_put(&sql, at + 1);
    }
    text_raw(&sql, "", 1);
    sqlite3_stmt *s = NULL;
    if (sql.failed)
        db_no_memory(db);
    else
        s = db_prepare(db, sql.p);
    text_free(&sql);
    return s;
}

static int run(struct db *db, const char *text, const char *partner, int64_t since, int64_t until)
{
    sqlite3_stmt *s = prepare(db, text, partner);
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
    const char *partner = has_names(db) ? NAMED : UNNAMED;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (run(db, texts[i], partner, since_us, until_us) != 0)
            return -1;
    *p = (struct period){true, since_us, until_us, version};
    return 0;
}

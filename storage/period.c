/* The failures of one period by what they have in common, and its traffic, in temporary tables. */
#include "storage/period.h"

#include "storage/period_load.h"

#define WEEK_US INT64_C(604800000000)

#define COUNTS                                                                              \
    " (key INTEGER, failures INTEGER, first_us INTEGER, last_us INTEGER, attempts INTEGER," \
    " syns INTEGER, lossy INTEGER, example INTEGER)"

/* A partner goes by its name where that is known, else by the address of its relay. */
#define PARTNER "coalesce((SELECT v.partner FROM failures v WHERE v.id = c.key), peer_addr)"

static const char empty[] =
    "PRAGMA temp.cache_size = -8192;" /* 8 MiB; what is more goes to a temporary file */
    "DROP TABLE IF EXISTS temp.p_count; DROP TABLE IF EXISTS temp.p_count_before;"
    "DROP TABLE IF EXISTS temp.p_failure; DROP TABLE IF EXISTS temp.p_group;"
    "DROP TABLE IF EXISTS temp.p_traffic; DROP TABLE IF EXISTS temp.p_net;"
    "DROP TABLE IF EXISTS temp.p_before; DROP TABLE IF EXISTS temp.p_partner;"
    "CREATE TEMP TABLE p_count" COUNTS ";"
    "CREATE TEMP TABLE p_count_before" COUNTS ";"
    "CREATE TEMP TABLE p_failure (id INTEGER, key INTEGER, info INTEGER, first_us INTEGER,"
    " call INTEGER);"
    "CREATE TEMP TABLE p_group (key INTEGER PRIMARY KEY, failures INTEGER, first_us INTEGER,"
    " last_us INTEGER, attempts INTEGER, syns INTEGER, lossy INTEGER, example INTEGER, leg TEXT,"
    " transport TEXT, verdict TEXT, info INTEGER, edge TEXT, partner TEXT, net TEXT,"
    " of_partner INTEGER, caller TEXT, callee TEXT, local TEXT, remote TEXT,"
    " dst_port INTEGER, peer_port INTEGER, pn INTEGER)";

static const char *const texts[] = {
    "INSERT INTO p_group SELECT c.*, leg, transport, verdict, info, edge_addr, " PARTNER ","
    " addr_net(peer_addr), of_partner AND peer_addr IS NOT NULL,"
    " CASE WHEN instr(caller, '@') THEN substr(caller, instr(caller, '@') + 1) END,"
    " CASE WHEN instr(callee, '@') THEN substr(callee, instr(callee, '@') + 1) END,"
    " rtrim(rtrim(local_candidate, '0123456789abcdef.:[]')),"
    " rtrim(rtrim(remote_candidate, '0123456789abcdef.:[]')), dst_port, peer_port, NULL"
    " FROM p_count c JOIN failure_ends e ON e.id = c.key",

    "CREATE TEMP TABLE p_partner AS SELECT partner, min(key) AS pn, sum(failures) AS failures,"
    " min(first_us) AS first_us, max(last_us) AS last_us FROM p_group WHERE of_partner GROUP BY 1",

    "UPDATE p_group SET pn = p.pn FROM p_partner p WHERE of_partner AND p_group.partner = "
    "p.partner",

    "CREATE TEMP TABLE p_traffic AS SELECT hour_us, coalesce((SELECT public_addr FROM alias WHERE"
    " private_addr = t.src_addr ORDER BY public_addr IN (SELECT edge FROM p_group) DESC,"
    " configured DESC, ports_seen DESC LIMIT 1), src_addr) AS edge, dst_net, port_from, port_to,"
    " transport, attempts, connected, refused, timeout, other FROM (SELECT hour_us, src_addr,"
    " dst_net, port_from, port_to, transport, sum(connected + refused + timeout + other) AS"
    " attempts, sum(connected) AS connected, sum(refused) AS refused, sum(timeout) AS timeout,"
    " sum(other) AS other FROM traffic_hour WHERE hour_us <= :until AND"
    " hour_us > :since - 3600000000 GROUP BY 1, 2, 3, 4, 5, 6) t",

    "CREATE TEMP TABLE p_net AS SELECT DISTINCT partner, net FROM p_group WHERE of_partner AND"
    " net IS NOT NULL",

    "CREATE TEMP TABLE p_before AS SELECT " PARTNER " AS partner, sum(c.failures) AS failures,"
    " min(c.first_us) AS first_us, max(c.last_us) AS last_us FROM p_count_before c"
    " JOIN failure_ends e ON e.id = c.key WHERE peer_addr IS NOT NULL GROUP BY 1",
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
    int result = db_run(db, s);
    sqlite3_finalize(s);
    return result;
}

int period_make(struct period *p, struct db *db, int64_t since_us, int64_t until_us)
{
    int64_t version; /* changes when another connection has written */
    if (db_int(db, "PRAGMA data_version", -1, &version) != 0)
        return -1;
    if (p->made && version >= 0 && p->version == version && p->since_us == since_us &&
        p->until_us == until_us)
        return 0;
    const struct period_load now = {"p_count", "p_failure", since_us, until_us},
                             before = {"p_count_before", NULL, since_us - WEEK_US, since_us - 1};
    p->made = false;
    if (db_exec(db, empty) != 0 || period_load(db, &now) != 0 || period_load(db, &before) != 0)
        return -1;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (run(db, texts[i], since_us, until_us) != 0)
            return -1;
    *p = (struct period){true, since_us, until_us, version};
    return 0;
}

/* Runs settle.sql, which says what is merged and how, if earlier runs saw the same stretch of time.
 */
#include "storage/settle.h"

#include <stdio.h>

#include "flows/skew.h"
#include "storage/clocks.h"

__asm__(".section .rodata\n"
        "settle_sql:\n"
        ".global settle_sql\n"
        ".incbin \"storage/settle.sql\"\n"
        ".byte 0\n"
        ".global settle_logs_sql\n"
        "settle_logs_sql:\n"
        ".incbin \"storage/settle_logs.sql\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char settle_sql[], settle_logs_sql[];

#define NEAR INT64_C(25000000)   /* us; as long as an attempt may go on: limits.h */
#define DAY INT64_C(86400000000) /* us; as long as a call may last */

/* Rivals: runs of the same sensor near in packet time. Attempts that were linked to a failure, but
 * never stored themselves, are no rows of anybody's. Logs come later: settle_logs(). */
static const char rivals_sql[] =
    "CREATE TEMP TABLE rival (id INTEGER PRIMARY KEY, covered INTEGER);"
    "DELETE FROM attempt WHERE first_us IS NULL AND run_id = :run;"
    "INSERT INTO temp.rival (id) SELECT o.id FROM run n JOIN run o ON o.sensor = n.sensor AND"
    " o.id <> n.id AND o.first_us <= n.last_us + :near AND o.last_us >= n.first_us - :near"
    " WHERE n.id = :run AND o.id NOT IN " SIP_LOGS ";";

struct span {
    int64_t first, last; /* us */
};

static int run_statement(struct store *s, sqlite3_stmt *q, const struct span *span)
{
    const struct {
        const char *name;
        int64_t value;
    } values[] = {
        {":run", s->run},         {":first", span->first}, {":last", span->last},
        {":near", (int64_t)NEAR}, {":day", (int64_t)DAY},  {":zones", (int64_t)SKEW_LIMIT_US},
    };
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
        int at = sqlite3_bind_parameter_index(q, values[i].name);
        if (at)
            sqlite3_bind_int64(q, at, values[i].value);
    }
    int result = db_run(&s->db, q);
    sqlite3_finalize(q);
    return result;
}

static int run_script(struct store *s, const char *sql, const struct span *span)
{
    while (*sql) {
        sqlite3_stmt *q = NULL;
        if (sqlite3_prepare_v2(s->db.handle, sql, -1, &q, &sql) != SQLITE_OK)
            return db_fault(&s->db, "merge runs");
        if (q && run_statement(s, q, span)) /* none: white space and comments */
            return -1;
    }
    return 0;
}

int settle_run(struct store *s)
{
    struct span span = {0, 0};
    int64_t rivals;
    if (run_script(s, rivals_sql, &span) ||
        db_int(&s->db, "SELECT count(*) FROM temp.rival", 0, &rivals) ||
        (rivals &&
         (store_run_span(s, &span.first, &span.last) || run_script(s, settle_sql, &span))))
        return -1;
    return db_exec(&s->db, "DROP TABLE temp.rival");
}

static const char logs_near_sql[] =
    "SELECT count(*) FROM run n JOIN run o ON o.id <> n.id AND o.first_us <= n.last_us + %lld AND"
    " o.last_us >= n.first_us - %lld WHERE n.id = %lld AND (n.sensor = '*' OR o.sensor IN "
    "(n.sensor,"
    " '*')) AND (n.id IN " SIP_LOGS " OR o.id IN " SIP_LOGS ")";

int settle_logs(struct store *s)
{
    char sql[sizeof logs_near_sql + 64];
    struct span span = {0, 0};
    int64_t near;
    snprintf(sql, sizeof sql, logs_near_sql, (long long)SKEW_LIMIT_US, (long long)SKEW_LIMIT_US,
             (long long)s->run);
    if (db_int(&s->db, sql, 0, &near))
        return -1;
    return near ? run_script(s, settle_logs_sql, &span) : 0;
}

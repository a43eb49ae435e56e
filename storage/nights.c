/* Findings across failures, day by day. */
#include "storage/nights.h"

#include "storage/windows.h"

enum { NIGHTS = 400 };

/* The days, at most NIGHTS, the latest first. How many, or -1. */
static int days_of_runs(struct db *db, tick_t since, tick_t until, int64_t out[NIGHTS])
{
    int n = 0, rc;
    sqlite3_stmt *q = db_prepare(
        db, "SELECT first_us / 86400000000 AS day FROM failure WHERE first_us BETWEEN ? AND ?"
            " GROUP BY day HAVING min(run_id) <> max(run_id) ORDER BY day DESC");
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, since / TICK_US);
    sqlite3_bind_int64(q, 2, until / TICK_US);
    while ((rc = sqlite3_step(q)) == SQLITE_ROW && n < NIGHTS)
        out[n++] = sqlite3_column_int64(q, 0) * INT64_C(86400000000);
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? n : -1;
}

void nights_draw(const char *path, tick_t since, tick_t until)
{
    struct store s = {0};
    int64_t days[NIGHTS];
    if (db_open(&s.db, path, &schema_edgewatch) != DB_OK)
        return;
    int n = days_of_runs(&s.db, since, until, days);
    if (n > 0 && store_begin(&s) == 0)
        for (int i = 0; i < n && windows_night_alone(&s, days[i] * TICK_US) == 0; i++)
            ;
    store_end(&s);
    db_close(&s.db);
}

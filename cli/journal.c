/* sd_journal_sendv(3). */
#include "cli/journal.h"

#include "report/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

/* journalctl MESSAGE_ID=... lists failures and nothing else */
#define MESSAGE_ID "MESSAGE_ID=6f2d9c1b0a5e4f7c8d3b1e6a9f4c2d70"

enum { FIELDS = 64, FIELD_ROOM = 2048 };

struct entry {
    struct iovec fields[FIELDS];
    char *texts[FIELDS]; /* to be freed */
    int n;
};

static void add(struct entry *e, char *text, int length)
{
    if (length < 0 || e->n == FIELDS) {
        if (length >= 0)
            free(text);
        return;
    }
    e->texts[e->n] = text;
    e->fields[e->n++] = (struct iovec){text, (size_t)length};
}

static void add_column(struct entry *e, struct rows *r, int column)
{
    char name[64], value[FIELD_ROOM], *text;
    const char *as = rows_name(r, column);
    size_t i = 0;
    if (rows_type(r, column) == ROWS_NULL)
        return;
    for (; as[i] && i < sizeof name - 1; i++)
        name[i] = as[i] >= 'a' && as[i] <= 'z' ? (char)(as[i] - 32) : as[i];
    name[i] = 0;
    row_text(r, as, value, sizeof value);
    int length = asprintf(&text, "EDGEWATCH_%s=%s", name, value);
    add(e, text, length);
}

static void add_message(struct entry *e, struct rows *r)
{
    char verdict[32], leg[32], src[64], dst[64], caller[256], callee[256], *text;
    row_text(r, "verdict", verdict, sizeof verdict);
    row_text(r, "leg", leg, sizeof leg);
    row_endpoint(r, "src_addr", "src_port", src, sizeof src);
    row_endpoint(r, "dst_addr", "dst_port", dst, sizeof dst);
    row_user(r, "caller", caller, sizeof caller);
    row_user(r, "callee", callee, sizeof callee);
    int length = asprintf(&text, "MESSAGE=failure %lld: %s, %s, %s -> %s%s%s%s%s",
                          (long long)row_int(r, "id", 0), verdict, leg, src, dst,
                          *caller ? ", " : "", caller, *callee ? " to " : "", callee);
    add(e, text, length);
}

bool journal_here(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    return stream && *stream;
}

void journal_failure(struct rows *r)
{
    static const char id[] = MESSAGE_ID, priority[] = "PRIORITY=4"; /* LOG_WARNING */
    struct entry e = {0};
    int n;
    _Static_assert(LOG_WARNING == 4, "as the text says");
    add_message(&e, r);
    n = rows_columns(r);
    for (int i = 0; i < n && e.n < FIELDS - 3; i++)
        add_column(&e, r, i);
    struct iovec all[FIELDS + 3];
    memcpy(all, e.fields, (size_t)e.n * sizeof *all);
    all[e.n] = (struct iovec){(char *)(uintptr_t)id, sizeof id - 1};
    all[e.n + 1] = (struct iovec){(char *)(uintptr_t)priority, sizeof priority - 1};
    (void)sd_journal_sendv(all, e.n + 2);
    for (int i = 0; i < e.n; i++)
        free(e.texts[i]);
}

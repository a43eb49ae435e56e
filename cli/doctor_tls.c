/* View tls_sessions, as lines of the doctor. */
#include "cli/doctor_tls.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "storage/query.h"

static const char *text_of(struct rows *r, const char *column)
{
    const char *t = rows_text(r, rows_find(r, column));
    return t ? t : "";
}

/* "10.0.0.5:5061 (sip.partner.example), TLS 1.2, TLS_RSA_WITH_AES_128_CBC_SHA: decrypted with key
 * edge.key". Texts live until the next call, so piece by piece. */
static void put_fact(struct rows *r, char out[DOCTOR_TLS_TEXT])
{
    const char *addr = text_of(r, "server_addr");
    size_t n = (size_t)snprintf(out, DOCTOR_TLS_TEXT, strchr(addr, ':') ? "[%s]" : "%s", addr);
    n += (size_t)snprintf(out + n, DOCTOR_TLS_TEXT - n, ":%u",
                          (unsigned)rows_int(r, rows_find(r, "server_port")));
    static const struct {
        const char *column, *before, *after;
    } pieces[] = {{"sni", " (", ")"},
                  {"version", ", ", ""},
                  {"cipher", ", ", ""},
                  {"state", ": ", ""},
                  {"key", " with ", ""}};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces && n < DOCTOR_TLS_TEXT; i++) {
        const char *t = text_of(r, pieces[i].column);
        if (*t)
            n += (size_t)snprintf(out + n, DOCTOR_TLS_TEXT - n, "%s%.100s%s", pieces[i].before, t,
                                  pieces[i].after);
    }
}

static void add_row(struct doctor_tls *t, struct rows *r)
{
    char fact[DOCTOR_TLS_TEXT], advice[DOCTOR_TLS_TEXT];
    unsigned i = 0;
    t->connections++;
    put_fact(r, fact);
    snprintf(advice, sizeof advice, "%s", text_of(r, "advice"));
    while (i < t->n && (strcmp(t->lines[i].fact, fact) || strcmp(t->lines[i].advice, advice)))
        i++;
    if (i == DOCTOR_TLS_LINES) {
        t->more++;
        return;
    }
    memcpy(t->lines[i].fact, fact, sizeof fact);
    memcpy(t->lines[i].advice, advice, sizeof advice);
    t->lines[i].readable = rows_int(r, rows_find(r, "readable")) != 0;
    t->lines[i].connections++;
    t->n += i == t->n;
}

void doctor_tls_read(const char *db, struct doctor_tls *t)
{
    char why[512];
    struct query_db *q;
    *t = (struct doctor_tls){0};
    if (query_open(db, &q, why, sizeof why) != DB_OK)
        return;
    struct rows *r = query_view(q, VIEW_TLS_SESSIONS,
                                &(struct query_filter){.since = TICK_NONE, .until = TICK_NONE});
    while (r && rows_next(r) == 1)
        add_row(t, r);
    rows_close(r);
    query_close(q);
}

void doctor_tls_tell(const struct doctor_tls *t, struct checkup *out)
{
    for (unsigned i = 0; i < t->n; i++) {
        unsigned n = t->lines[i].connections;
        const char *advice = *t->lines[i].advice ? t->lines[i].advice : NULL;
        checkup_add(out, "tls", t->lines[i].readable ? CHECK_OK : CHECK_LOOK, advice,
                    "%u connection%s to %s", n, n == 1 ? "" : "s", t->lines[i].fact);
    }
    if (t->more)
        checkup_add(out, "tls", CHECK_LOOK, "edgewatch read, then view tls_sessions, has them all",
                    "%u more connections", t->more);
}

/* Which columns a person sees of each view, and from which terminal width on. */
#include "report/listing.h"

#include "report/clock.h"
#include "report/row.h"
#include "report/table.h"

#include <inttypes.h>
#include <string.h>

enum { CELL = 384, LISTING_COLUMNS = 16 };

/* Fills the empty cell from columns a (and b) of the current row; an empty cell prints as "-". */
typedef void cell_fn(struct rows *r, const char *a, const char *b, char cell[CELL]);

struct picture_column {
    const char *title;
    cell_fn *fill;
    const char *a, *b;
    unsigned flags; /* enum table_flags */
    unsigned from;  /* shown on terminals of at least this width */
    unsigned below; /* shown only on terminals narrower than this, 0 = on all */
};

static void text(struct rows *r, const char *a, const char *b, char cell[CELL])
{
    (void)b;
    row_text(r, a, cell, CELL);
}

static void user(struct rows *r, const char *a, const char *b, char cell[CELL])
{
    (void)b;
    row_user(r, a, cell, CELL);
}

static void count(struct rows *r, const char *a, const char *b, char cell[CELL])
{
    (void)b;
    if (!row_null(r, a))
        snprintf(cell, CELL, "%" PRId64, row_int(r, a, 0));
}

static void endpoint(struct rows *r, const char *a, const char *b, char cell[CELL])
{
    row_endpoint(r, a, b, cell, CELL);
}

static void stamp(struct rows *r, const char *a, const char *b, char cell[CELL])
{
    (void)b;
    char when[TICK_TEXT];
    snprintf(cell, CELL, "%s", clock_stamp(row_tick(r, a), when));
}

/* "12-10 10:43", where room is short. */
static void minute(struct rows *r, const char *a, const char *b, char cell[CELL])
{
    (void)b;
    char when[TICK_TEXT];
    clock_stamp(row_tick(r, a), when);
    if (strlen(when) > 16)
        snprintf(cell, CELL, "%.11s", when + 5);
}

static void span(struct rows *r, const char *a, const char *b, char cell[CELL])
{
    char lasted[CLOCK_SPAN];
    tick_t from = row_tick(r, a), to = row_tick(r, b);
    if (from != TICK_NONE && to != TICK_NONE)
        snprintf(cell, CELL, "%s", clock_span(to - from, lasted));
}

static void who(struct rows *r, const char *a, const char *b, char cell[CELL])
{
    char one[160], other[160];
    row_user(r, a, one, sizeof one);
    row_user(r, b, other, sizeof other);
    if (*one || *other)
        snprintf(cell, CELL, "%s > %s", *one ? one : "?", *other ? other : "?");
}

static void verdict(struct rows *r, const char *a, const char *b, char cell[CELL])
{
    char what[32], severity[16];
    bool info = strcmp(row_text(r, b, severity, sizeof severity), "info") == 0;
    snprintf(cell, CELL, "%s%s", row_text(r, a, what, sizeof what), info ? " (info)" : "");
}

static void ratio(struct rows *r, const char *a, const char *b, char cell[CELL])
{
    int64_t of = row_int(r, b, -1);
    int n = snprintf(cell, CELL, "%" PRId64 "/", row_int(r, a, 0));
    if (of < 0)
        snprintf(cell + n, CELL - (size_t)n, "-");
    else
        snprintf(cell + n, CELL - (size_t)n, "%" PRId64, of);
}

static void ending(struct rows *r, const char *a, const char *b, char cell[CELL])
{
    char reason[64];
    row_text(r, a, reason, sizeof reason);
    int64_t error = row_int(r, b, 0);
    if (error)
        snprintf(cell, CELL, "%s (error %" PRId64 ")", *reason ? reason : "failed", error);
    else
        snprintf(cell, CELL, "%s", reason);
}

static void interface(struct rows *r, const char *a, const char *b, char cell[CELL])
{
    text(r, a, b, cell);
    if (!*cell)
        snprintf(cell, CELL, "(engine)");
}

static void dropped(struct rows *r, const char *a, const char *b, char cell[CELL])
{
    snprintf(cell, CELL, "%" PRId64,
             row_int(r, a, 0) + row_int(r, b, 0) + row_int(r, "ring_drops", 0));
}

static const struct picture_column failures[] = {
    {"ID", count, "id", NULL, TABLE_RIGHT, 0, 0},
    {"WHEN", minute, "first_seen", NULL, 0, 0, 100},
    {"WHEN", stamp, "first_seen", NULL, 0, 100, 0},
    {"LEG", text, "leg", NULL, 0, 150, 0},
    {"VERDICT", verdict, "verdict", "severity", 0, 0, 0},
    {"WHO", who, "caller", "callee", TABLE_CUT, 120, 0},
    {"FROM", endpoint, "src_addr", "src_port", 0, 100, 0},
    {"TO", endpoint, "dst_addr", "dst_port", 0, 0, 0},
    {"TRIES/SYNS", ratio, "attempts", "syns", TABLE_RIGHT, 150, 0},
    {"GRADE", text, "grade", NULL, 0, 110, 0},
    {"FINDING", text, "finding", NULL, TABLE_CUT, 0, 0},
};

static const struct picture_column calls[] = {
    {"ID", count, "id", NULL, TABLE_RIGHT, 0, 0},
    {"STARTED", stamp, "started", NULL, 0, 0, 0},
    {"CALLER", user, "caller", NULL, TABLE_CUT, 0, 0},
    {"CALLEE", user, "callee", NULL, TABLE_CUT, 0, 0},
    {"MEDIA", text, "media", NULL, TABLE_CUT, 110, 0},
    {"STATUS", count, "status", NULL, TABLE_RIGHT, 0, 0},
    {"OUTCOME", text, "outcome", NULL, 0, 0, 0},
    {"LASTED", span, "answered", "ended", TABLE_RIGHT, 100, 0},
    {"OFFER RELAY", text, "offer_relay", NULL, 0, 150, 0},
    {"ANSWER RELAY", text, "answer_relay", NULL, 0, 150, 0},
};

static const struct picture_column allocations[] = {
    {"ID", count, "id", NULL, TABLE_RIGHT, 0, 0},
    {"STARTED", stamp, "started", NULL, 0, 0, 0},
    {"CLIENT", endpoint, "client_addr", "client_port", 0, 0, 0},
    {"SERVER", endpoint, "server_addr", "server_port", 0, 0, 0},
    {"RELAY", endpoint, "relay_addr", "relay_port", 0, 0, 0},
    {"PROTO", text, "transport", NULL, 0, 90, 0},
    {"ON THE WIRE", text, "wire_addr", NULL, 0, 105, 0},
    {"ENDED", stamp, "ended", NULL, 0, 150, 0},
    {"END", ending, "end_reason", "error_code", TABLE_CUT, 90, 0},
};

static const struct picture_column health[] = {
    {"RUN", count, "run_id", NULL, TABLE_RIGHT, 0, 0},
    {"FROM", stamp, "from_time", NULL, 0, 0, 0},
    {"LASTED", span, "from_time", "to_time", TABLE_RIGHT, 100, 0},
    {"INTERFACE", interface, "interface", NULL, TABLE_CUT, 0, 0},
    {"PACKETS", count, "packets", NULL, TABLE_RIGHT, 0, 0},
    {"BYTES", count, "bytes", NULL, TABLE_RIGHT, 100, 0},
    {"DROPPED", dropped, "kernel_drops", "nic_drops", TABLE_RIGHT, 0, 0},
    {"BAD", count, "decode_errors", NULL, TABLE_RIGHT, 0, 0},
    {"TWICE", count, "duplicates", NULL, TABLE_RIGHT, 80, 0},
    {"GAPS", count, "stream_gaps", NULL, TABLE_RIGHT, 90, 0},
    {"ONE-WAY", count, "one_way_flows", NULL, TABLE_RIGHT, 110, 0},
    {"EVICTED", count, "table_evictions", NULL, TABLE_RIGHT, 120, 0},
    {"LOST", count, "queue_lost", NULL, TABLE_RIGHT, 130, 0},
    {"EVENT", text, "event", NULL, TABLE_CUT, 0, 0},
};

#define PICTURE(c)              \
    {                           \
        c, sizeof c / sizeof *c \
    }

static const struct picture {
    const struct picture_column *columns;
    size_t n;
} pictures[VIEWS] = {
    [VIEW_FAILURES] = PICTURE(failures),
    [VIEW_CALLS] = PICTURE(calls),
    [VIEW_ALLOCATIONS] = PICTURE(allocations),
    [VIEW_HEALTH] = PICTURE(health),
};

/* The columns that fit, the first column of times with the zone in its title. */
static unsigned choose(const struct picture *p, unsigned width,
                       const struct picture_column *out[LISTING_COLUMNS],
                       struct table_column heads[LISTING_COLUMNS], char zoned[CELL])
{
    unsigned n = 0;
    char zone[CLOCK_ZONE];
    zoned[0] = 0;
    for (size_t i = 0; i < p->n && n < LISTING_COLUMNS; i++) {
        const struct picture_column *c = &p->columns[i];
        if (width ? width < c->from || (c->below && width >= c->below) : c->below)
            continue;
        heads[n] = (struct table_column){c->title, c->flags};
        if ((c->fill == stamp || c->fill == minute) && !*zoned) {
            snprintf(zoned, CELL, "%s (%s)", c->title, clock_zone(zone));
            heads[n].title = zoned;
        }
        out[n++] = c;
    }
    return n;
}

static void add_row(struct table *t, struct rows *r, const struct picture_column *const columns[],
                    unsigned n)
{
    char cell[LISTING_COLUMNS][CELL];
    const char *cells[LISTING_COLUMNS];
    for (unsigned i = 0; i < n; i++) {
        cell[i][0] = 0;
        columns[i]->fill(r, columns[i]->a, columns[i]->b, cell[i]);
        cells[i] = *cell[i] ? cell[i] : NULL;
    }
    table_row(t, cells);
}

int64_t listing_print(enum query_view v, struct rows *r, FILE *out, unsigned width)
{
    const struct picture_column *columns[LISTING_COLUMNS];
    struct table_column heads[LISTING_COLUMNS];
    char zoned[CELL];
    unsigned n = choose(&pictures[v], width, columns, heads, zoned);
    struct table *t = table_new(heads, n, 0, width);
    if (!t)
        return -1;
    int64_t rows = 0;
    int got;
    while ((got = rows_next(r)) == 1) {
        add_row(t, r, columns, n);
        rows++;
    }
    bool bad = got < 0 || (rows && table_print(t, out) != 0);
    table_free(t);
    return bad ? -1 : rows;
}

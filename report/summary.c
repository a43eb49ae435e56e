/* Figures of a period, and their text. */
#include "report/summary.h"

#include "report/clock.h"
#include "report/field.h"
#include "report/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- loading ---- */

static const struct {
    enum query_sum sum;
    const char *key;
} parts[] = {
    {SUM_NEW_PARTNERS, "new_partners"},
    {SUM_ENDED_PARTNERS, "ended_partners"},
    {SUM_BY_PARTNER, "by_partner"},
    {SUM_BY_EDGE, "by_edge"},
    {SUM_BY_LEG, "by_leg"},
    {SUM_BY_VERDICT, "by_verdict"},
    {SUM_BY_CANDIDATE, "by_candidate"},
    {SUM_BY_PORT_RANGE, "by_port_range"},
    {SUM_BY_HOUR, "by_hour"},
    {SUM_FINDINGS, "findings"},
    {SUM_HEALTH, "health"},
};

static json_t *load(struct query_db *db, enum query_sum which, tick_t since, tick_t until)
{
    struct rows *r = query_sum(db, which, since, until);
    json_t *list = r ? json_array() : NULL;
    int got = list ? 1 : -1;
    while (got == 1 && (got = rows_next(r)) == 1)
        if (json_array_append_new(list, json_row(r)) != 0)
            got = -1;
    rows_close(r);
    if (got < 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static int load_parts(struct query_db *db, tick_t since, tick_t until, json_t *s)
{
    json_t *totals = load(db, SUM_TOTALS, since, until);
    if (!totals || json_object_set(s, "totals", json_array_get(totals, 0)) != 0) {
        json_decref(totals);
        return -1;
    }
    json_decref(totals);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (json_object_set_new(s, parts[i].key, load(db, parts[i].sum, since, until)) != 0)
            return -1;
    char *sentence = summary_sentence(s);
    int bad = json_object_set_new(s, "sentence", json_safe(sentence));
    free(sentence);
    return bad;
}

json_t *summary_load(struct query_db *db, tick_t since, tick_t until)
{
    char from[TICK_TEXT], to[TICK_TEXT];
    json_t *s = json_pack("{ss ss}", "from", tick_text(since, from), "to", tick_text(until, to));
    if (s && load_parts(db, since, until, s) != 0) {
        json_decref(s);
        return NULL;
    }
    return s;
}

int64_t summary_failures(const json_t *s)
{
    return field_int(json_object_get(s, "totals"), "failures", 0);
}

bool summary_saw_packets(const json_t *s)
{
    size_t k;
    json_t *row;
    json_array_foreach(json_object_get(s, "health"), k, row)
    {
        if (field_int(row, "packets", 0) > 0)
            return true;
    }
    return false;
}

/* ---- tables ---- */

enum { COLUMNS = 8, CELL = 160 };

enum cell_kind { CELL_TEXT, CELL_COUNT, CELL_STAMP, CELL_HOUR, CELL_RANGE, CELL_DROPS, CELL_SPAN };

struct section {
    const char *key, *title;
    struct {
        const char *name, *title;
        enum cell_kind kind;
    } columns[COLUMNS];
    size_t most;
};

static const struct section sections[] = {
    {"new_partners",
     "NEW: no failure in the seven days before",
     {{"partner", "PARTNER", CELL_TEXT},
      {"failures", "FAILURES", CELL_COUNT},
      {"first_seen", "FIRST", CELL_STAMP}},
     20},
    {"ended_partners",
     "OVER: failed in the seven days before, not now",
     {{"partner", "PARTNER", CELL_TEXT},
      {"failures", "FAILURES", CELL_COUNT},
      {"last_seen", "LAST", CELL_STAMP}},
     20},
    {"by_partner",
     "BY PARTNER",
     {{"partner", "PARTNER", CELL_TEXT},
      {"users", "DOMAINS", CELL_TEXT},
      {"failures", "FAILURES", CELL_COUNT},
      {"calls", "CALLS", CELL_COUNT},
      {"attempts", "TO ITS NET", CELL_COUNT},
      {"connected", "CONNECTED", CELL_COUNT},
      {"first_seen", "FIRST", CELL_STAMP}},
     20},
    {"by_edge",
     "BY EDGE",
     {{"edge", "EDGE", CELL_TEXT},
      {"failures", "FAILURES", CELL_COUNT},
      {"partners", "PARTNERS", CELL_COUNT},
      {"attempts", "ATTEMPTS", CELL_COUNT},
      {"connected", "CONNECTED", CELL_COUNT}},
     20},
    {"by_leg",
     "BY LEG",
     {{"leg", "LEG", CELL_TEXT},
      {"failures", "FAILURES", CELL_COUNT},
      {"infos", "INFO ONLY", CELL_COUNT}},
     20},
    {"by_verdict",
     "BY VERDICT",
     {{"verdict", "VERDICT", CELL_TEXT},
      {"failures", "FAILURES", CELL_COUNT},
      {"infos", "INFO ONLY", CELL_COUNT},
      {"attempts", "ATTEMPTS", CELL_COUNT},
      {"syns", "REQUESTS", CELL_COUNT}},
     20},
    {"by_candidate",
     "BY KIND OF CANDIDATE",
     {{"local", "LOCAL", CELL_TEXT},
      {"remote", "REMOTE", CELL_TEXT},
      {"transport", "PROTO", CELL_TEXT},
      {"failures", "FAILURES", CELL_COUNT}},
     20},
    {"by_port_range",
     "BY PORT RANGE OF THE FAR END",
     {{"port_from", "PORTS", CELL_RANGE},
      {"transport", "PROTO", CELL_TEXT},
      {"failures", "FAILURES", CELL_COUNT},
      {"attempts", "ATTEMPTS", CELL_COUNT},
      {"connected", "CONNECTED", CELL_COUNT}},
     20},
    {"by_hour",
     "BY HOUR",
     {{"hour", "HOUR", CELL_HOUR},
      {"failures", "FAILURES", CELL_COUNT},
      {"attempts", "ATTEMPTS", CELL_COUNT},
      {"connected", "CONNECTED", CELL_COUNT}},
     48},
};

static const struct section health_section = {
    "health",
    "THE SENSOR",
    {{"interface", "INTERFACE", CELL_TEXT},
     {"packets", "PACKETS", CELL_COUNT},
     {"kernel_drops", "DROPPED", CELL_DROPS},
     {"blind_s", "WITHIN", CELL_SPAN},
     {"decode_errors", "DAMAGED", CELL_COUNT},
     {"duplicates", "SEEN TWICE", CELL_COUNT}},
    40,
};

static int64_t drops(const json_t *row)
{
    return field_int(row, "kernel_drops", 0) + field_int(row, "nic_drops", 0) +
           field_int(row, "ring_drops", 0);
}

static void fill(const json_t *row, const char *name, enum cell_kind kind, char cell[CELL])
{
    char text[TICK_TEXT];
    bool known = !json_is_null(json_object_get(row, name));
    int64_t n = field_int(row, name, 0);
    cell[0] = 0;
    switch (kind) {
    case CELL_TEXT:
        snprintf(cell, CELL, "%s", field_text(row, name));
        break;
    case CELL_COUNT:
        if (known)
            snprintf(cell, CELL, "%" PRId64, n);
        break;
    case CELL_STAMP:
        snprintf(cell, CELL, "%s", clock_stamp(field_tick(row, name), text));
        break;
    case CELL_HOUR:
        snprintf(cell, CELL, "%.16s", clock_stamp(field_tick(row, name), text));
        break;
    case CELL_RANGE:
        snprintf(cell, CELL, "%" PRId64 "-%" PRId64, n, field_int(row, "port_to", 0));
        break;
    case CELL_DROPS:
        snprintf(cell, CELL, "%" PRId64, drops(row));
        break;
    case CELL_SPAN:
        if (drops(row))
            clock_span(n * TICK_S, cell);
        break;
    }
}

/* The engine's own row of health has no interface and is told in words. */
static bool is_engine(const struct section *s, const json_t *row)
{
    return s == &health_section && json_is_null(json_object_get(row, "interface"));
}

static bool add_row(struct table *t, const struct section *s, const json_t *row, unsigned n)
{
    if (is_engine(s, row))
        return false;
    char text[COLUMNS][CELL];
    const char *cells[COLUMNS];
    for (unsigned i = 0; i < n; i++) {
        fill(row, s->columns[i].name, s->columns[i].kind, text[i]);
        cells[i] = *text[i] ? text[i] : NULL;
    }
    table_row(t, cells);
    return true;
}

static void put_section(const json_t *all, const struct prose *p, const struct section *s)
{
    const json_t *list = json_object_get(all, s->key);
    struct table_column heads[COLUMNS];
    unsigned n = 0;
    for (; n < COLUMNS && s->columns[n].name; n++) {
        enum cell_kind kind = s->columns[n].kind;
        bool number = kind == CELL_COUNT || kind == CELL_DROPS || kind == CELL_SPAN;
        heads[n] = (struct table_column){s->columns[n].title, number ? TABLE_RIGHT : TABLE_CUT};
    }
    size_t rows = json_array_size(list), put = 0;
    struct table *t = rows ? table_new(heads, n, 2, table_width(p->out)) : NULL;
    if (!t)
        return;
    prose_heading(p, s->title);
    for (size_t k = 0; k < rows && put < s->most; k++)
        put += add_row(t, s, json_array_get(list, k), n);
    if (put)
        table_print(t, p->out);
    table_free(t);
    if (rows > s->most)
        prose_text(p, 2, "... and %zu more", rows - s->most);
}

/* ---- findings ---- */

static void put_reasons(const json_t *row, const char *key, const char *lead, const struct prose *p)
{
    size_t k;
    json_t *reason;
    json_array_foreach(json_object_get(json_object_get(row, "evidence"), key), k, reason)
    {
        if (json_is_string(reason))
            prose_lead(p, 4, 18, k ? "" : lead, json_string_value(reason));
    }
}

static void put_findings(const json_t *all, const struct prose *p)
{
    const json_t *list = json_object_get(all, "findings");
    size_t k;
    json_t *row;
    if (json_array_size(list) == 0)
        return;
    prose_heading(p, "WHAT IT MAY BE (hypotheses, none of them proven)");
    json_array_foreach(list, k, row)
    {
        int64_t n = field_int(row, "failures", 0);
        if (n)
            prose_text(p, 2, "%s, %s: %" PRId64 " failure%s, for example %" PRId64,
                       field_text(row, "code"), field_text(row, "confidence"), n, n == 1 ? "" : "s",
                       field_int(row, "example", 0));
        else
            prose_text(p, 2, "%s, %s: over many failures", field_text(row, "code"),
                       field_text(row, "confidence"));
        if (!n) {
            put_reasons(row, "for", "for", p);
            put_reasons(row, "against", "against", p);
        }
        put_reasons(row, "settle", "would settle", p);
        if (*field_text(row, "advice"))
            prose_lead(p, 4, 18, "advice", field_text(row, "advice"));
    }
}

static void put_engine(const json_t *all, const struct prose *p)
{
    static const struct {
        const char *name, *words;
    } counters[] = {{"stream_gaps", "gaps in streams"},
                    {"one_way_flows", "flows seen in one direction only"},
                    {"table_evictions", "table entries evicted"},
                    {"aggregated", "attempts counted but not stored"},
                    {"queue_lost", "records lost before the database"}};
    size_t k;
    json_t *row;
    json_array_foreach(json_object_get(all, "health"), k, row)
    {
        for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
            int64_t n = field_int(row, counters[i].name, 0);
            if (n)
                prose_text(p, 2, "%" PRId64 " %s", n, counters[i].words);
        }
    }
}

void summary_print(const json_t *s, const struct prose *p, const char *title)
{
    prose_text(p, 0, "%s", title);
    fputc('\n', p->out);
    prose_text(p, 0, "%s", field_text(s, "sentence"));
    bool some = summary_failures(s) > 0 || json_array_size(json_object_get(s, "by_leg")) > 0;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (some || i < 2)
            put_section(s, p, &sections[i]);
    put_findings(s, p);
    put_section(s, p, &health_section);
    put_engine(s, p);
}

/* A summary as text: for a terminal and for mail. */
#include "report/summary.h"

#include "report/clock.h"
#include "report/field.h"
#include "report/summary_sections.h"
#include "report/table.h"
#include "report/ticket.h"

#include <inttypes.h>
#include <string.h>

enum { WIDE_PAGE = 110, HANG = 18 };

/* ---- tables ---- */

/* Columns that fit the page, with where each comes from. */
struct heads {
    struct table_column columns[SECTION_COLUMNS];
    const struct section_column *from[SECTION_COLUMNS];
    unsigned n;
};

static struct heads heads_of(const struct section *s, unsigned width)
{
    struct heads h = {.n = 0};
    for (unsigned i = 0; i < SECTION_COLUMNS && s->columns[i].name; i++) {
        const struct section_column *c = &s->columns[i];
        if (c->wide && width < WIDE_PAGE)
            continue;
        unsigned flags = section_number(c->kind) ? TABLE_RIGHT
                         : c->kind == CELL_TEXT  ? TABLE_CUT
                                                 : 0;
        h.columns[h.n] = (struct table_column){c->title, flags};
        h.from[h.n++] = c;
    }
    return h;
}

static bool add_row(struct table *t, const struct heads *h, const json_t *list, const json_t *row)
{
    char text[SECTION_COLUMNS][SECTION_CELL];
    const char *cells[SECTION_COLUMNS];
    for (unsigned i = 0; i < h->n; i++) {
        section_cell(list, row, h->from[i], text[i]);
        bool blank = h->from[i]->kind == CELL_BARS;
        cells[i] = *text[i] ? text[i] : blank ? "" : NULL;
    }
    table_row(t, cells);
    return true;
}

/* The engine's row of health has no interface and is told in words. */
static bool is_engine(const struct section *s, const json_t *row)
{
    return s == &section_health && json_is_null(json_object_get(row, "interface"));
}

static void put_section(const json_t *all, const struct prose *p, const struct section *s,
                        size_t most)
{
    const json_t *list = json_object_get(all, s->key);
    struct heads h = heads_of(s, p->width);
    size_t rows = json_array_size(list), put = 0, k = 0;
    char rest[SECTION_CELL];
    struct table *t = rows ? table_new(h.columns, h.n, 2, p->width) : NULL;
    if (!t)
        return;
    prose_heading(p, s->title);
    for (; k < rows && put < most; k++)
        if (!is_engine(s, json_array_get(list, k)))
            put += add_row(t, &h, list, json_array_get(list, k));
    if (put)
        table_print(t, p->out);
    table_free(t);
    if (section_rest(all, s, k, rest))
        prose_text(p, 2, "%s", rest);
}

/* ---- findings ---- */

static void put_reasons(const json_t *row, const char *key, const char *lead, const struct prose *p)
{
    size_t k;
    json_t *reason;
    json_array_foreach(json_object_get(json_object_get(row, "evidence"), key), k, reason)
    {
        if (json_is_string(reason))
            prose_lead(p, 4, HANG, k ? "" : lead, json_string_value(reason));
    }
}

static void put_ticket(const json_t *row, const struct prose *p)
{
    const struct ticket *t = ticket_for(field_text(row, "code"));
    if (*field_text(row, "advice"))
        prose_lead(p, 4, HANG, "advice", field_text(row, "advice"));
    if (!t)
        return;
    prose_item(p, 4, HANG, "ask", "%s", t->whom);
    prose_item(p, 4, HANG, "check", "%s", t->check);
}

static void put_finding(const json_t *row, const struct prose *p)
{
    int64_t n = field_int(row, "failures", 0);
    if (n)
        prose_text(p, 2, "%s, %s: %" PRId64 " failure%s, for example %" PRId64,
                   field_text(row, "code"), field_text(row, "confidence"), n, n == 1 ? "" : "s",
                   field_int(row, "example", 0));
    else
        prose_text(p, 2, "%s, %s: over many failures", field_text(row, "code"),
                   field_text(row, "confidence"));
    put_reasons(row, "for", "for", p);
    put_reasons(row, "against", "against", p);
    put_reasons(row, "settle", "would settle", p);
    put_ticket(row, p);
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
        fputs(k ? "\n" : "", p->out);
        put_finding(row, p);
    }
}

/* ---- the sensor ---- */

static void put_engine(const json_t *all, const struct prose *p)
{
    char text[SECTION_CELL];
    for (size_t i = 0; section_engine(all, i, text); i++)
        if (*text)
            prose_text(p, 2, "%s", text);
}

static void put_blind(const json_t *all, const struct prose *p)
{
    enum { MOST = 12 };
    const json_t *list = json_object_get(all, "blind");
    size_t k;
    json_t *row;
    json_array_foreach(list, k, row)
    {
        char from[TICK_TEXT], to[TICK_TEXT];
        if (k == MOST) {
            prose_item(p, 2, HANG, "", "... and %zu more", json_array_size(list) - k);
            break;
        }
        prose_item(p, 2, HANG, k ? "" : "blind", "%s to %s: %" PRId64 " packets lost",
                   clock_stamp(field_tick(row, "from_time"), from),
                   clock_stamp(field_tick(row, "to_time"), to) + 11, field_int(row, "lost", 0));
    }
}

/* ---- by partner ---- */

static void put_detail(const json_t *row, const struct prose *p)
{
    char from[TICK_TEXT], to[TICK_TEXT];
    int64_t n = field_int(row, "failures", 0);
    prose_item(p, 4, HANG, field_text(row, "verdict"),
               "%" PRId64 " %s from Edge %s (%s), %.16s to %.16s, for example %" PRId64, n,
               field_text(row, "transport"), field_text(row, "edge"), field_text(row, "leg"),
               clock_stamp(field_tick(row, "first_seen"), from),
               clock_stamp(field_tick(row, "last_seen"), to), field_int(row, "example", 0));
}

static void put_ports(const json_t *all, const char *partner, const struct prose *p)
{
    static const struct section_column ports = {"port_from", "", CELL_RANGE, false},
                                       share = {"share", "", CELL_SHARE, false};
    size_t k;
    json_t *row;
    json_array_foreach(json_object_get(all, "partner_ports"), k, row)
    {
        char range[SECTION_CELL], part[SECTION_CELL];
        int64_t tried = field_int(row, "attempts", 0);
        if (strcmp(field_text(row, "partner"), partner) != 0 || tried == 0)
            continue;
        section_cell(NULL, row, &ports, range);
        section_cell(NULL, row, &share, part);
        prose_item(
            p, 4, HANG, range, "%" PRId64 " of %" PRId64 " %s attempts to its network failed, %s",
            tried - field_int(row, "connected", 0), tried, field_text(row, "transport"), part);
    }
}

static void put_suspects(const json_t *all, const char *partner, const struct prose *p)
{
    size_t k;
    json_t *row;
    json_array_foreach(json_object_get(all, "partner_findings"), k, row)
    {
        if (strcmp(field_text(row, "partner"), partner) == 0)
            prose_item(p, 4, HANG, "may be", "%s, %s: %" PRId64 " times, for example %" PRId64,
                       field_text(row, "code"), field_text(row, "confidence"),
                       field_int(row, "failures", 0), field_int(row, "example", 0));
    }
}

static void put_partner(const json_t *all, const json_t *partner, const struct prose *p)
{
    const char *name = field_text(partner, "partner"), *users = field_text(partner, "users");
    int64_t n = field_int(partner, "failures", 0), before = field_int(partner, "before", 0);
    size_t k;
    json_t *row;
    fputc('\n', p->out);
    prose_text(p, 0, "%s%s%s%s", name, *users ? " (" : "", users, *users ? ")" : "");
    prose_text(p, 2,
               "%" PRId64 " failure%s in %" PRId64 " calls; %" PRId64 " in the seven days before",
               n, n == 1 ? "" : "s", field_int(partner, "calls", 0), before);
    put_ports(all, name, p);
    json_array_foreach(json_object_get(all, "partner_details"), k, row)
    {
        if (strcmp(field_text(row, "partner"), name) == 0)
            put_detail(row, p);
    }
    put_suspects(all, name, p);
}

static void put_partners(const json_t *all, const struct prose *p)
{
    const json_t *list = json_object_get(all, "by_partner");
    char rest[SECTION_CELL];
    size_t k = 0;
    for (; k < json_array_size(list) && k < SECTION_TOP; k++)
        put_partner(all, json_array_get(list, k), p);
    if (section_rest(all, &sections_by[0], k, rest)) {
        fputc('\n', p->out);
        prose_text(p, 0, "%s", rest);
    }
}

/* ---- the whole ---- */

static void put_tables(const json_t *s, const struct prose *p)
{
    bool some = summary_failures(s) > 0 || json_array_size(json_object_get(s, "by_leg")) > 0;
    for (size_t i = 0; i < sizeof sections_changes / sizeof *sections_changes; i++)
        if (i || summary_has_before(s))
            put_section(s, p, &sections_changes[i], SECTION_TOP);
    for (size_t i = 0; some && i < sizeof sections_by / sizeof *sections_by; i++)
        put_section(s, p, &sections_by[i], SECTION_TOP);
    if (some)
        put_section(s, p, section_of_time(s), 60);
    if (some)
        prose_text(p, 2,
                   "FAILURES are connections that failed; ATTEMPTS, FAILED and SHARE are what the "
                   "relays tried in the hours of the period; by partner, to all of its network "
                   "(/24, /48), in which others may live. BEFORE: failures in the seven days "
                   "before.");
}

void summary_print(const json_t *s, const struct prose *p, const char *title)
{
    prose_text(p, 0, "%s", title);
    fputc('\n', p->out);
    prose_text(p, 0, "%s", field_text(s, "sentence"));
    if (*field_text(s, "details"))
        prose_text(p, 0, "%s", field_text(s, "details"));
    if (json_object_get(s, "partner_details"))
        put_partners(s, p);
    else {
        put_tables(s, p);
        put_findings(s, p);
    }
    put_section(s, p, &section_health, 40);
    put_engine(s, p);
    put_blind(s, p);
}

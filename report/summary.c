/* Figures of a period, out of the database. */
#include "report/summary.h"

#include "report/clock.h"
#include "report/field.h"
#include "report/summary_sections.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 1000, MOST_BANDS = 200 };

static const struct {
    enum query_sum sum;
    const char *key;
} parts[] = {
    {SUM_NEW_PARTNERS, "new_partners"},
    {SUM_ENDED_PARTNERS, "ended_partners"},
    {SUM_UNREACHABLE, "unreachable"},
    {SUM_BY_PARTNER, "by_partner"},
    {SUM_BY_EDGE, "by_edge"},
    {SUM_BY_LEG, "by_leg"},
    {SUM_BY_VERDICT, "by_verdict"},
    {SUM_BY_CANDIDATE, "by_candidate"},
    {SUM_BY_PORT_RANGE, "by_port_range"},
    {SUM_BY_HOUR, "by_hour"},
    {SUM_HEAT, "partner_ports"},
    {SUM_FINDINGS, "findings"},
    {SUM_HEALTH, "health"},
};

/* ---- rows ---- */

/* What does not fit: how many rows, and the failures in them. */
static int count_rest(struct rows *r, int got, const char *key, json_t *s)
{
    char name[64];
    int64_t rows = 0, failures = 0;
    int column = rows_find(r, "failures");
    for (; got == 1; got = rows_next(r)) {
        rows++;
        failures += column < 0 ? 0 : rows_int(r, column);
    }
    snprintf(name, sizeof name, "%s_rest", key);
    if (got == 0 && rows)
        got = json_object_set_new(
            s, name,
            json_pack("{sI sI}", "rows", (json_int_t)rows, "failures", (json_int_t)failures));
    return got;
}

static int load(struct query_db *db, enum query_sum which, tick_t since, tick_t until,
                const char *key, json_t *s)
{
    struct rows *r = query_sum(db, which, since, until);
    json_t *list = r ? json_array() : NULL;
    int got = list ? 1 : -1;
    while (got == 1 && (got = rows_next(r)) == 1) {
        if (json_array_size(list) == MOST_ROWS) {
            got = count_rest(r, got, key, s);
            break;
        }
        if (json_array_append_new(list, json_row(r)) != 0)
            got = -1;
    }
    rows_close(r);
    if (got < 0 || json_object_set(s, key, list) != 0)
        got = -1;
    json_decref(list);
    return got < 0 ? -1 : 0;
}

/* ---- blind windows ---- */

/* Windows that touch, or are nearer to each other than a picture can show, become one. */
static int load_blind(struct query_db *db, tick_t since, tick_t until, json_t *s)
{
    tick_t near = (until - since) / MOST_BANDS;
    char text[TICK_TEXT];
    if (load(db, SUM_BLIND, since, until, "blind", s) != 0)
        return -1;
    json_t *all = json_object_get(s, "blind"), *list = json_array(), *row, *last = NULL;
    bool dense = json_array_size(all) > MOST_BANDS;
    size_t k;
    json_array_foreach(all, k, row)
    {
        tick_t from = field_tick(row, "from_time"), to = field_tick(row, "to_time");
        tick_t before = last ? field_tick(last, "to_time") : 0;
        if (!last || from > before + (dense ? near : TICK_S)) {
            json_array_append(list, last = row);
            continue;
        }
        json_object_set_new(last, "lost",
                            json_integer(field_int(last, "lost", 0) + field_int(row, "lost", 0)));
        if (to > before)
            json_object_set_new(last, "to_time", json_string(tick_text(to, text)));
    }
    return json_object_set_new(s, "blind", list);
}

int64_t summary_blind_s(const json_t *s)
{
    tick_t from = summary_from(s), to = summary_to(s), blind = 0;
    size_t k;
    json_t *row;
    json_array_foreach(json_object_get(s, "blind"), k, row)
    {
        tick_t a = field_tick(row, "from_time"), b = field_tick(row, "to_time");
        a = a < from ? from : a;
        b = b > to ? to : b;
        blind += b > a ? b - a : 0;
    }
    return blind / TICK_S;
}

/* ---- days ---- */

static const char *const sums[] = {"failures", "infos",   "attempts", "connected",
                                   "refused",  "timeout", "other"};

static void add_hour(json_t *day, const json_t *hour)
{
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        json_object_set_new(day, sums[i],
                            json_integer(field_int(day, sums[i], 0) + field_int(hour, sums[i], 0)));
}

/* Hours put together by the local day that they begin in. */
static int load_days(json_t *s)
{
    json_t *days = json_array(), *hour, *day = NULL;
    char text[TICK_TEXT];
    size_t k;
    json_array_foreach(json_object_get(s, "by_hour"), k, hour)
    {
        clock_day(field_tick(hour, "hour"), text);
        if (!day || strcmp(field_text(day, "day"), text) != 0) {
            day = json_pack("{ss}", "day", text);
            json_array_append_new(days, day);
        }
        add_hour(day, hour);
    }
    return json_object_set_new(s, "by_day", days);
}

/* ---- the whole ---- */

static bool has_finding(const json_t *s, const char *code)
{
    size_t k;
    json_t *row;
    json_array_foreach(json_object_get(s, "findings"), k, row)
    {
        if (strcmp(field_text(row, "code"), code) == 0)
            return true;
    }
    return false;
}

static int load_words(json_t *s)
{
    char *sentence = summary_sentence(s), *details = summary_details(s);
    int bad = json_object_set_new(s, "sentence", json_safe(sentence)) |
              json_object_set_new(s, "details", json_safe(details));
    free(sentence);
    free(details);
    return bad ? -1 : 0;
}

static int load_parts(struct query_db *db, tick_t since, tick_t until, json_t *s)
{
    if (load(db, SUM_TOTALS, since, until, "totals", s) != 0 ||
        json_object_set(s, "totals", json_array_get(json_object_get(s, "totals"), 0)) != 0)
        return -1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (load(db, parts[i].sum, since, until, parts[i].key, s) != 0)
            return -1;
    if (has_finding(s, "connection-table-limit") &&
        load(db, SUM_TABLE_LIMIT, since, until, "table_limit", s) != 0)
        return -1;
    return load_blind(db, since, until, s) != 0 || load_days(s) != 0 ? -1 : load_words(s);
}

json_t *summary_load(struct query_db *db, tick_t since, tick_t until)
{
    char from[TICK_TEXT], to[TICK_TEXT], zone[CLOCK_ZONE], offset[CLOCK_ZONE];
    json_t *s =
        json_pack("{ss ss ss ss s{ss}}", "from", tick_text(since, from), "to", tick_text(until, to),
                  "zone", clock_zone(zone), "utc_offset", clock_offset(until, offset), "notes",
                  "by_partner", SECTION_PARTNER_ATTEMPTS);
    if (!s || query_begin(db) != 0) {
        json_decref(s);
        return NULL;
    }
    int bad = load_parts(db, since, until, s);
    if (query_end(db) != 0 || bad) {
        json_decref(s);
        return NULL;
    }
    return s;
}

int summary_add_partners(struct query_db *db, tick_t since, tick_t until, json_t *s)
{
    return load(db, SUM_PARTNER_DETAIL, since, until, "partner_details", s) != 0 ||
                   load(db, SUM_PARTNER_FINDINGS, since, until, "partner_findings", s) != 0
               ? -1
               : 0;
}

int64_t summary_failures(const json_t *s)
{
    return field_int(json_object_get(s, "totals"), "failures", 0);
}

tick_t summary_from(const json_t *s)
{
    return field_tick(s, "from");
}

tick_t summary_to(const json_t *s)
{
    return field_tick(s, "to");
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

bool summary_has_before(const json_t *s)
{
    return field_int(json_object_get(s, "totals"), "days_before", 0) > 0;
}

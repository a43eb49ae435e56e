/* The tables of a summary, as a table. */
#include "report/summary_sections.h"

#include "report/clock.h"
#include "report/field.h"
#include "report/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ATTEMPTS                                                                           \
    {"attempts", "ATTEMPTS", CELL_COUNT, false}, {"failed", "FAILED", CELL_FAILED, false}, \
    {                                                                                      \
        "share", "SHARE", CELL_SHARE, false                                                \
    }

const struct section sections_changes[2] = {
    {"new_partners",
     "NEW: no failure in the seven days before",
     {{"partner", "PARTNER", CELL_TEXT, false},
      {"failures", "FAILURES", CELL_COUNT, false},
      {"first_seen", "FIRST", CELL_STAMP, false}},
     NULL},
    {"ended_partners",
     "OVER: failed in the seven days before, not now",
     {{"partner", "PARTNER", CELL_TEXT, false},
      {"failures", "FAILURES", CELL_COUNT, false},
      {"last_seen", "LAST", CELL_STAMP, false}},
     NULL},
};

const struct section sections_by[6] = {
    {"by_partner",
     "BY PARTNER",
     {{"partner", "PARTNER", CELL_TEXT, false},
      {"users", "DOMAINS", CELL_TEXT, true},
      {"failures", "FAILURES", CELL_COUNT, false},
      {"calls", "CALLS", CELL_COUNT, true},
      {"before", "BEFORE", CELL_COUNT, false},
      ATTEMPTS,
      {"first_seen", "SINCE", CELL_HOUR, false},
      {"last_seen", "UNTIL", CELL_HOUR, true}},
     "Before: failures in the seven days before. " SECTION_PARTNER_ATTEMPTS},
    {"by_edge",
     "BY EDGE",
     {{"edge", "EDGE", CELL_TEXT, false},
      {"failures", "FAILURES", CELL_COUNT, false},
      {"partners", "PARTNERS", CELL_COUNT, false},
      ATTEMPTS},
     NULL},
    {"by_leg",
     "BY LEG",
     {{"leg", "LEG", CELL_TEXT, false},
      {"failures", "FAILURES", CELL_COUNT, false},
      {"infos", "INFO ONLY", CELL_COUNT, false},
      ATTEMPTS,
      {"granted", "GRANTED", CELL_COUNT, false}},
     NULL},
    {"by_verdict",
     "BY VERDICT",
     {{"verdict", "VERDICT", CELL_TEXT, false},
      {"failures", "FAILURES", CELL_COUNT, false},
      {"infos", "INFO ONLY", CELL_COUNT, false},
      {"attempts", "ATTEMPTS", CELL_COUNT, false},
      {"of_attempts", "OF ALL", CELL_PART, false},
      {"syns", "REQUESTS", CELL_COUNT, false}},
     NULL},
    {"by_candidate",
     "BY KIND OF CANDIDATE",
     {{"local", "LOCAL", CELL_TEXT, false},
      {"remote", "REMOTE", CELL_TEXT, false},
      {"transport", "PROTO", CELL_TEXT, false},
      {"failures", "FAILURES", CELL_COUNT, false},
      ATTEMPTS},
     "Attempts: of the relays over that protocol; relay candidates have no others."},
    {"by_port_range",
     "BY PORT RANGE OF THE FAR END",
     {{"port_from", "PORTS", CELL_RANGE, false},
      {"transport", "PROTO", CELL_TEXT, false},
      {"failures", "FAILURES", CELL_COUNT, false},
      ATTEMPTS},
     NULL},
};

const struct section section_hours = {"by_hour",
                                      "BY HOUR",
                                      {{"hour", "HOUR", CELL_HOUR, false},
                                       {"failures", "FAILURES", CELL_COUNT, false},
                                       ATTEMPTS,
                                       {"failures", "", CELL_BARS, false}},
                                      NULL};

const struct section section_days = {"by_day",
                                     "BY DAY",
                                     {{"day", "DAY", CELL_TEXT, false},
                                      {"failures", "FAILURES", CELL_COUNT, false},
                                      ATTEMPTS,
                                      {"failures", "", CELL_BARS, false}},
                                     NULL};

const struct section section_health = {
    "health",
    "THE SENSOR",
    {{"interface", "INTERFACE", CELL_TEXT, false},
     {"packets", "PACKETS", CELL_COUNT, false},
     {"kernel_drops", "DROPPED", CELL_DROPS, false},
     {"blind_s", "WITHIN", CELL_SPAN, false},
     {"decode_errors", "DAMAGED", CELL_COUNT, false},
     {"duplicates", "SEEN TWICE", CELL_COUNT, false}},
    NULL,
};

const struct section *section_of_time(const json_t *s)
{
    return json_array_size(json_object_get(s, "by_hour")) > 48 ? &section_days : &section_hours;
}

bool section_number(enum cell_kind kind)
{
    return kind == CELL_COUNT || kind == CELL_FAILED || kind == CELL_SHARE || kind == CELL_PART ||
           kind == CELL_DROPS || kind == CELL_SPAN;
}

/* ---- cells ---- */

static int64_t drops(const json_t *row)
{
    return field_int(row, "kernel_drops", 0) + field_int(row, "nic_drops", 0) +
           field_int(row, "ring_drops", 0);
}

static void percent(int64_t n, int64_t all, char out[SECTION_CELL])
{
    int64_t share = all > 0 ? (n * 1000 / all + 5) / 10 : 0;
    if (all <= 0)
        return;
    if (n && share == 0)
        snprintf(out, SECTION_CELL, "<1 %%");
    else if (n < all && share == 100)
        snprintf(out, SECTION_CELL, ">99 %%");
    else
        snprintf(out, SECTION_CELL, "%" PRId64 " %%", share);
}

static void bars(const json_t *list, const json_t *row, const char *name, char out[SECTION_CELL])
{
    enum { LONGEST = 20 };
    int64_t most = 0, n = field_int(row, name, 0);
    size_t k, length;
    json_t *other;
    json_array_foreach(list, k, other)
    {
        int64_t v = field_int(other, name, 0);
        most = v > most ? v : most;
    }
    length = most ? (size_t)((n * LONGEST + most - 1) / most) : 0;
    memset(out, '#', length);
    out[length] = 0;
}

static void range(const json_t *row, char out[SECTION_CELL])
{
    int64_t from = field_int(row, "port_from", -1), to = field_int(row, "port_to", 0);
    if (from < 0)
        snprintf(out, SECTION_CELL, "other ports");
    else
        snprintf(out, SECTION_CELL, from == to ? "%" PRId64 : "%" PRId64 "-%" PRId64, from, to);
}

static void clip(const char *text, char out[SECTION_CELL])
{
    snprintf(out, SECTION_CELL, "%.250s%s", text, strlen(text) > 250 ? "..." : "");
}

void section_cell(const json_t *list, const json_t *row, const struct section_column *c,
                  char out[SECTION_CELL])
{
    char text[TICK_TEXT];
    int64_t n = field_int(row, c->name, 0), attempts = field_int(row, "attempts", 0);
    int64_t failed = attempts - field_int(row, "connected", 0);
    bool known = !json_is_null(json_object_get(row, c->name));
    bool tried = json_is_integer(json_object_get(row, "attempts"));
    out[0] = 0;
    if (c->kind == CELL_TEXT)
        clip(field_text(row, c->name), out);
    else if (c->kind == CELL_COUNT && known)
        snprintf(out, SECTION_CELL, "%" PRId64, n);
    else if (c->kind == CELL_STAMP)
        snprintf(out, SECTION_CELL, "%s", clock_stamp(field_tick(row, c->name), text));
    else if (c->kind == CELL_HOUR)
        snprintf(out, SECTION_CELL, "%.16s", clock_stamp(field_tick(row, c->name), text));
    else if (c->kind == CELL_RANGE)
        range(row, out);
    else if (c->kind == CELL_FAILED && tried)
        snprintf(out, SECTION_CELL, "%" PRId64, failed);
    else if (c->kind == CELL_SHARE && tried)
        percent(failed, attempts, out);
    else if (c->kind == CELL_PART && known && tried)
        percent(attempts, n, out);
    else if (c->kind == CELL_BARS)
        bars(list, row, c->name, out);
    else if (c->kind == CELL_DROPS)
        snprintf(out, SECTION_CELL, "%" PRId64, drops(row));
    else if (c->kind == CELL_SPAN && drops(row))
        clock_span(n * TICK_S, out);
}

bool section_rest(const json_t *s, const struct section *section, size_t put,
                  char out[SECTION_CELL])
{
    char name[64];
    snprintf(name, sizeof name, "%s_rest", section->key);
    const json_t *list = json_object_get(s, section->key), *cut = json_object_get(s, name), *row;
    int64_t rows = field_int(cut, "rows", 0), failures = field_int(cut, "failures", 0);
    for (size_t k = put; k < json_array_size(list); k++, rows++) {
        row = json_array_get(list, k);
        failures += field_int(row, "failures", 0);
    }
    if (rows == 0)
        return false;
    snprintf(out, SECTION_CELL, "... and %" PRId64 " more, with %" PRId64 " failures", rows,
             failures);
    return true;
}

bool section_engine(const json_t *s, size_t i, char out[SECTION_CELL])
{
    static const struct {
        const char *name, *words;
    } counters[] = {{"stream_gaps", "gaps in streams"},
                    {"one_way_flows", "flows seen in one direction only"},
                    {"table_evictions", "table entries evicted"},
                    {"aggregated", "attempts counted but not stored"},
                    {"queue_lost", "records lost before the database"}};
    int64_t n = 0;
    size_t k;
    json_t *row;
    out[0] = 0;
    if (i >= sizeof counters / sizeof *counters)
        return false;
    json_array_foreach(json_object_get(s, "health"), k, row) n +=
        field_int(row, counters[i].name, 0);
    if (n)
        snprintf(out, SECTION_CELL, "%" PRId64 " %s", n, counters[i].words);
    return true;
}

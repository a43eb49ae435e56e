/* The first sentence of a summary, and those that follow it. */
#include "report/clock.h"
#include "report/field.h"
#include "report/summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DAY (86400 * TICK_S)

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static int64_t sum(const json_t *list, const char *name)
{
    size_t k;
    json_t *row;
    int64_t n = 0;
    json_array_foreach(list, k, row) n += field_int(row, name, 0);
    return n;
}

static const json_t *find(const json_t *list, const char *name, const char *value)
{
    size_t k;
    json_t *row;
    json_array_foreach(list, k, row)
    {
        if (strcmp(field_text(row, name), value) == 0)
            return row;
    }
    return NULL;
}

/* ---- pieces of the first sentence ---- */

/* " since 21:40"; with the date where the period is longer than a day. */
static void put_since(const json_t *s, const json_t *row, FILE *out)
{
    char stamp[TICK_TEXT];
    tick_t at = field_tick(row, "first_seen");
    if (at == TICK_NONE)
        return;
    clock_stamp(at, stamp);
    bool one_day = summary_to(s) - summary_from(s) <= DAY && at >= summary_from(s);
    fprintf(out, " since %.*s", one_day ? 5 : 16, one_day ? stamp + 11 : stamp);
}

/* "; new", "; 2 of them new", "; not new", or that there is nothing to compare with. */
static void put_fresh(const json_t *s, int64_t fresh, int64_t all, FILE *out)
{
    if (!summary_has_before(s))
        fputs("; nothing earlier to compare with", out);
    else if (fresh == all)
        fputs("; new", out);
    else if (fresh)
        fprintf(out, "; %" PRId64 " of them new", fresh);
    else
        fputs("; not new", out);
}

/* "; 214 of 214 attempts refused" */
static void put_attempts(const json_t *row, const char *whose, FILE *out)
{
    static const struct {
        const char *name, *words;
    } ways[] = {{"refused", "refused"}, {"timeout", "unanswered"}, {"other", "failed"}};
    int64_t all = field_int(row, "attempts", 0), failed = all - field_int(row, "connected", 0);
    size_t most = 0;
    for (size_t i = 1; i < 3; i++)
        if (field_int(row, ways[i].name, 0) > field_int(row, ways[most].name, 0))
            most = i;
    int64_t n = field_int(row, ways[most].name, 0);
    if (all == 0)
        return;
    if (n == failed || most == 2) /* by ICMP, or after it opened: the tables tell */
        fprintf(out, "; %" PRId64 " of %" PRId64 " attempts%s %s", failed, all, whose,
                failed ? ways[most].words : "failed");
    else
        fprintf(out, "; %" PRId64 " of %" PRId64 " attempts%s failed, %" PRId64 " of them %s",
                failed, all, whose, n, ways[most].words);
}

static void put_range(const json_t *row, FILE *out)
{
    int64_t from = field_int(row, "port_from", 0), to = field_int(row, "port_to", 0);
    if (strcmp(field_text(row, "transport"), "UDP") == 0)
        fputs("UDP ", out);
    fprintf(out, from == to ? "%" PRId64 : "%" PRId64 "-%" PRId64, from, to);
}

/* ---- the first sentence, by what failed most ---- */

/* What cannot be reached at all comes first if it is a tenth of all that failed to partners. */
enum { UNREACHABLE_PART = 10 };

static void put_unreachable(const json_t *s, const json_t *row, FILE *out)
{
    int64_t partners = field_int(row, "partners", 0);
    if (partners == 1)
        fprintf(out, "%s unreachable on ", field_text(row, "partner"));
    else
        fprintf(out, "%" PRId64 " partners unreachable on ", partners);
    put_range(row, out);
    put_since(s, row, out);
    put_attempts(row, "", out);
    put_fresh(s, field_int(row, "fresh", 0), partners, out);
}

static void put_partly(const json_t *s, FILE *out)
{
    const json_t *list = json_object_get(s, "by_partner"), *first = json_array_get(list, 0);
    const json_t *totals = json_object_get(s, "totals");
    int64_t partners = field_int(totals, "partners", 0);
    int64_t fresh = (int64_t)json_array_size(json_object_get(s, "new_partners")) +
                    field_int(json_object_get(s, "new_partners_rest"), "rows", 0);
    if (partners == 1)
        fprintf(out, "%s failed in part", field_text(first, "partner"));
    else
        fprintf(out, "%" PRId64 " partners failed in part", partners);
    put_since(s, totals, out);
    put_attempts(partners == 1 ? first : totals, partners == 1 ? "" : " of the relays", out);
    put_fresh(s, fresh, partners, out);
}

static const char *leg_words(const char *leg, bool one)
{
    if (strcmp(leg, "client-relay") == 0)
        return one ? "connection from a client to its relay"
                   : "connections from clients to their relay";
    if (strcmp(leg, "signaling") == 0)
        return one ? "signaling connection" : "signaling connections";
    return one ? "connection" : "connections";
}

static void put_leg(const json_t *s, const json_t *row, FILE *out)
{
    int64_t n = field_int(row, "failures", 0);
    const json_t *verdict = json_array_get(json_object_get(s, "by_verdict"), 0);
    fprintf(out, "%" PRId64 " %s failed", n, leg_words(field_text(row, "leg"), n == 1));
    put_since(s, json_object_get(s, "totals"), out);
    if (n == summary_failures(s) && field_int(verdict, "failures", 0) == n)
        fprintf(out, "; %s%s", n == 1 ? "" : "all of them ", field_text(verdict, "verdict"));
    else if (n == summary_failures(s))
        fprintf(out, "; %" PRId64 " of them %s", field_int(verdict, "failures", 0),
                field_text(verdict, "verdict"));
    if (json_is_integer(json_object_get(row, "granted")))
        fprintf(out, "; %" PRId64 " relay ports were granted", field_int(row, "granted", 0));
}

static void put_failed(const json_t *s, FILE *out)
{
    const json_t *legs = json_object_get(s, "by_leg"), *list = json_object_get(s, "unreachable");
    const json_t *peer = find(legs, "leg", "relay-peer"), *most = json_array_get(legs, 0);
    int64_t to_partners = sum(json_object_get(s, "by_partner"), "failures") +
                          field_int(json_object_get(s, "by_partner_rest"), "failures", 0);
    int64_t cut = field_int(json_array_get(list, 0), "failures", 0);
    bool other_leg = most != peer && field_int(most, "failures", 0) > to_partners;
    if (other_leg || to_partners == 0)
        put_leg(s, most, out);
    else if (cut * UNREACHABLE_PART >= to_partners)
        put_unreachable(s, json_array_get(list, 0), out);
    else
        put_partly(s, out);
}

static void put_nothing(const json_t *s, FILE *out)
{
    const json_t *totals = json_object_get(s, "totals");
    int64_t calls = field_int(totals, "calls", 0), attempts = field_int(totals, "attempts", 0);
    int64_t blind = summary_blind_s(s), span = (summary_to(s) - summary_from(s)) / TICK_S;
    char lost[CLOCK_SPAN], all[CLOCK_SPAN];
    if (!summary_saw_packets(s)) {
        fputs("The sensor saw no packets in this time, so nothing can be said", out);
        return;
    }
    if (blind * 2 >= span && blind) {
        fprintf(out,
                "No failure was seen, but the sensor was blind for %s of %s, so that little can "
                "be said",
                clock_span(blind * TICK_S, lost), clock_span(span * TICK_S, all));
        return;
    }
    fprintf(out, "Nothing failed: %" PRId64 " call%s, ", calls, plural(calls));
    if (attempts)
        fprintf(out, "%" PRId64 " of %" PRId64 " attempt%s of the relays connected",
                field_int(totals, "connected", 0), attempts, plural(attempts));
    else
        fputs("no attempt of a relay seen", out);
}

char *summary_sentence(const json_t *s)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        return NULL;
    if (summary_failures(s))
        put_failed(s, out);
    else
        put_nothing(s, out);
    fputc('.', out);
    fclose(out);
    return text;
}

/* ---- what follows ---- */

static void put_totals(const json_t *s, FILE *out)
{
    const json_t *totals = json_object_get(s, "totals");
    int64_t failures = summary_failures(s), calls = field_int(totals, "failed_calls", 0);
    int64_t attempts = field_int(totals, "attempts", 0);
    fprintf(out, "%" PRId64 " connection%s failed", failures, plural(failures));
    int64_t all = field_int(totals, "calls", 0);
    if (calls && calls <= all)
        fprintf(out, " in %" PRId64 " of %" PRId64 " call%s", calls, all, plural(all));
    else if (calls)
        fprintf(out, " in %" PRId64 " call%s", calls, plural(calls));
    fputc('.', out);
    if (attempts)
        fprintf(out, " The relays made %" PRId64 " attempt%s, %" PRId64 " connected.", attempts,
                plural(attempts), field_int(totals, "connected", 0));
}

/* "1.1.1.1 (users of contoso.com, fabrikam.com, ...)": the first domains of either side of its
 * calls, long ones cut */
static void put_partner(const json_t *row, FILE *out)
{
    enum { MOST = 3, LONGEST = 48 };
    const char *domain = field_text(row, "users");
    fprintf(out, "%.*s", 2 * LONGEST, field_text(row, "partner"));
    for (int i = 0; *domain; i++) {
        size_t n = strcspn(domain, ",");
        fputs(i ? ", " : " (users of ", out);
        if (i == MOST)
            break;
        fprintf(out, "%.*s%s", (int)(n > LONGEST ? LONGEST : n), domain, n > LONGEST ? "..." : "");
        domain += n + (domain[n] == ',');
    }
    if (*field_text(row, "users"))
        fputs(*domain ? "...)" : ")", out);
}

static void put_partners(const json_t *s, FILE *out)
{
    const json_t *most = json_array_get(json_object_get(s, "by_partner"), 0);
    int64_t n = field_int(json_object_get(s, "totals"), "partners", 0);
    size_t fresh = json_array_size(json_object_get(s, "new_partners"));
    size_t ended = json_array_size(json_object_get(s, "ended_partners"));
    if (!most)
        return;
    if (n > 1 && field_int(most, "failures", 0) == 1)
        fprintf(out, " They have %" PRId64 " partners, one each", n);
    else {
        fputs(n == 1 ? " The partner is " : " Most often the partner was ", out);
        put_partner(most, out);
    }
    if (n > 1 && field_int(most, "failures", 0) > 1)
        fprintf(out, ", %" PRId64 " times, of %" PRId64 " partners", field_int(most, "failures", 0),
                n);
    fputc('.', out);
    if (!summary_has_before(s)) {
        fputs(" The sensor saw nothing in the seven days before, so nothing can be called new.",
              out);
        return;
    }
    if (n > 1 && fresh)
        fprintf(out, " %zu of them had no failure in the seven days before.", fresh);
    if (ended)
        fprintf(out, " %zu that failed then did not fail now.", ended);
}

static void put_blindness(const json_t *s, FILE *out)
{
    const json_t *health = json_object_get(s, "health");
    char span[CLOCK_SPAN];
    int64_t drops =
        sum(health, "kernel_drops") + sum(health, "nic_drops") + sum(health, "ring_drops");
    int64_t lossy = field_int(json_object_get(s, "totals"), "lossy", 0);
    if (!drops)
        return;
    fprintf(out, " The sensor lost %" PRId64 " packets, within %s.", drops,
            clock_span(summary_blind_s(s) * TICK_S, span));
    if (lossy)
        fprintf(out, " %" PRId64 " of the failures fall%s into that time and prove%s less.", lossy,
                lossy == 1 ? "s" : "", lossy == 1 ? "s" : "");
}

char *summary_details(const json_t *s)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        return NULL;
    if (summary_failures(s)) {
        put_totals(s, out);
        put_partners(s, out);
    }
    put_blindness(s, out);
    fclose(out);
    return text;
}

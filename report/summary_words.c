/* The first sentence of a summary. */
#include "report/clock.h"
#include "report/field.h"
#include "report/summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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

static void put_failed(const json_t *totals, FILE *out)
{
    int64_t failures = field_int(totals, "failures", 0);
    int64_t calls = field_int(totals, "failed_calls", 0);
    int64_t attempts = field_int(totals, "attempts", 0);
    fprintf(out, "%" PRId64 " connection%s failed", failures, plural(failures));
    if (calls)
        fprintf(out, " in %" PRId64 " call%s", calls, plural(calls));
    fputc('.', out);
    if (attempts)
        fprintf(out, " The relays made %" PRId64 " attempt%s, %" PRId64 " connected.", attempts,
                plural(attempts), field_int(totals, "connected", 0));
}

/* "1.1.1.1 (contoso.com, fabrikam.com)" */
static void put_partner(const json_t *row, FILE *out)
{
    const char *domains = field_text(row, "users");
    fputs(field_text(row, "partner"), out);
    if (!*domains)
        return;
    fputs(" (", out);
    for (const char *p = domains; *p; p++) {
        fputc(*p, out);
        if (*p == ',')
            fputc(' ', out);
    }
    fputc(')', out);
}

static void put_partners(const json_t *s, FILE *out)
{
    const json_t *list = json_object_get(s, "by_partner"), *most = json_array_get(list, 0);
    size_t n = json_array_size(list), fresh = json_array_size(json_object_get(s, "new_partners"));
    if (!most)
        return;
    fputs(n == 1 ? " The partner is " : " Most often the partner was ", out);
    put_partner(most, out);
    if (n > 1)
        fprintf(out, ", %" PRId64 " times, of %zu partners", field_int(most, "failures", 0), n);
    if (fresh == 0)
        fputs("; nothing new against the seven days before.", out);
    else if (fresh == n)
        fprintf(out, "; %s in the seven days before.",
                n == 1 ? "nothing failed to it" : "none of them had a failure");
    else
        fprintf(out, "; %zu of them had no failure in the seven days before.", fresh);
}

static void put_blindness(const json_t *s, FILE *out)
{
    const json_t *health = json_object_get(s, "health");
    char span[CLOCK_SPAN];
    int64_t blind = sum(health, "blind_s");
    int64_t drops =
        sum(health, "kernel_drops") + sum(health, "nic_drops") + sum(health, "ring_drops");
    if (drops)
        fprintf(out, " The sensor lost %" PRId64 " packets, within %s.", drops,
                clock_span(blind * TICK_S, span));
}

char *summary_sentence(const json_t *s)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        return NULL;
    const json_t *totals = json_object_get(s, "totals");
    int64_t calls = field_int(totals, "calls", 0), attempts = field_int(totals, "attempts", 0);
    if (summary_failures(s)) {
        put_failed(totals, out);
        put_partners(s, out);
    } else if (summary_saw_packets(s))
        fprintf(out, "Nothing failed: %" PRId64 " call%s, %" PRId64 " attempt%s of the relays.",
                calls, plural(calls), attempts, plural(attempts));
    else
        fputs("The sensor saw no packets in this time, so nothing can be said.", out);
    put_blindness(s, out);
    fclose(out);
    return text;
}

/* What a joiner says. See telling.h. */
#include "tests/help/telling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "flows/findings.h"

static void row_text(char out[TELLING_ROW_TEXT], const struct failure *f,
                     const struct finding *list, unsigned n)
{
    char src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT], client[ENDPOINT_TEXT], keys[160];
    char src_public[ADDR_TEXT], dst_public[ADDR_TEXT];
    int used = snprintf(
        out, TELLING_ROW_TEXT,
        "%s %s %s %s>%s (%s>%s) a%u s%u r%u %c %s %s call=%s %s [%s][%s] client=%s "
        "%016llx",
        leg_name(f->leg), verdict_name(f->verdict), f->info ? "info" : "failure",
        endpoint_text(&f->src, src), endpoint_text(&f->dst, dst),
        addr_text(&f->src_public, src_public), addr_text(&f->dst_public, dst_public), f->attempts,
        f->syns, f->rsts, f->grade, match_keys_text(f->keys, keys), confidence_name(f->confidence),
        f->call_id ? f->call_id : "-", f->medium ? f->medium : "-", f->local_candidate,
        f->remote_candidate, endpoint_text(&f->client, client), (unsigned long long)f->event_id);
    for (unsigned i = 0; i < n; i++)
        used += snprintf(out + used, TELLING_ROW_TEXT - (size_t)used, " %s", list[i].code);
    assert_true(used < TELLING_ROW_TEXT);
}

static void on_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    struct telling *t = arg;
    unsigned i = 0;
    while (i < t->n && t->rows[i].id != f->id)
        i++;
    assert_true(i < TELLING_ROWS);
    t->n += i == t->n;
    t->rows[i].id = f->id;
    t->rows[i].f = *f;
    row_text(t->rows[i].row, f, list, n);
}

static void on_gone(void *arg, int64_t id)
{
    struct telling *t = arg;
    for (unsigned i = 0; i < t->n; i++)
        if (t->rows[i].id == id) {
            t->rows[i] = t->rows[--t->n];
            return;
        }
    fail_msg("withdrawn, but never told");
}

static void on_link(void *arg, uint64_t attempt, int64_t failure)
{
    struct telling *t = arg;
    (void)attempt;
    if (failure)
        t->linked++;
    else
        t->linked--;
}

static void on_alias(void *arg, const struct fact_alias *a)
{
    struct telling *t = arg;
    (void)a;
    t->aliases++;
}

void telling_begin(struct telling *t, const struct joiner_config *c)
{
    struct joiner_hooks hooks = {t, on_failure, on_gone, on_link, on_alias};
    struct joiner_config plain = {
        .sensor = "test", .relay_low = 50000, .relay_high = 59999, .seed = 42};
    *t = (struct telling){.j = NULL};
    t->j = joiner_new(c ? c : &plain, &hooks);
    assert_non_null(t->j);
}

static int compare_rows(const void *a, const void *b)
{
    return strcmp(((const struct telling_row *)a)->row, ((const struct telling_row *)b)->row);
}

void telling_sort(struct telling *t)
{
    qsort(t->rows, t->n, sizeof *t->rows, compare_rows);
}

void telling_expect_same(const struct telling *want, const struct telling *got, const char *order)
{
    bool same = want->n == got->n;
    for (unsigned i = 0; same && i < want->n; i++)
        same = strcmp(want->rows[i].row, got->rows[i].row) == 0;
    if (same)
        return;
    for (unsigned i = 0; i < want->n; i++)
        print_message("in order:  %s\n", want->rows[i].row);
    for (unsigned i = 0; i < got->n; i++)
        print_message("told as %s: %s\n", order, got->rows[i].row);
    fail_msg("the order of telling shows");
}

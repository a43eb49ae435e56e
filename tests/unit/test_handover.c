/* The engine on one thread and on two: what it tells, and in which order, is the same. */
#include "flows/handover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/source.h"
#include "flows/findings.h"
#include "flows/pipeline.h"
#include "tests/help/captures.h"

/* ---- what is told, line by line ---- */

static void on_attempt(void *out, const struct attempt *a, const struct evidence *ev, unsigned n)
{
    fprintf(out, "attempt %ju %u %u %u %d wanted %d evidence", (uintmax_t)a->id, a->verdict,
            a->quality, a->syns, a->src.port, a->wanted);
    for (unsigned i = 0; i < n; i++) {
        unsigned sum = 0;
        for (unsigned k = 0; k < ev[i].caplen; k++)
            sum = sum * 31 + ev[i].bytes[k];
        fprintf(out, " %jd/%u", (intmax_t)ev[i].time, sum);
    }
    fputc('\n', out);
}

static void on_attempt_failure(void *out, uint64_t attempt, int64_t failure)
{
    fprintf(out, "link %ju %jd\n", (uintmax_t)attempt, (intmax_t)failure);
}

static void on_call(void *out, const struct fact_call *c)
{
    fprintf(out, "call %jd %s %s %s %d %u %jd\n", (intmax_t)c->id, c->call_id,
            c->caller ? c->caller : "-", c->callee ? c->callee : "-", c->status, c->n_media,
            (intmax_t)c->ended);
    for (unsigned m = 0; m < c->n_media; m++)
        for (int s = 0; s < CALL_SIDES; s++) {
            const struct fact_side *side = &c->media[m].side[s];
            for (unsigned i = 0; i < side->n_candidates; i++)
                fprintf(out, " %u/%u", side->candidates[i].at.port, side->candidates[i].type);
            fprintf(out, " %s\n", side->ufrag ? side->ufrag : "-");
        }
}

static void on_allocation(void *out, const struct fact_allocation *a)
{
    fprintf(out, "allocation %jd %u %u %s %u", (intmax_t)a->id, a->client.port, a->relay.port,
            a->call_id ? a->call_id : "-", a->n_sends);
    for (unsigned i = 0; i < a->n_sends; i++)
        fprintf(out, " %u:%s", a->sends[i].peer.port,
                a->sends[i].remote_ufrag ? a->sends[i].remote_ufrag : "-");
    fputc('\n', out);
}

static void on_alias(void *out, const struct fact_alias *a)
{
    fprintf(out, "alias %u\n", a->ports_seen);
}

static void on_failure(void *out, const struct failure *f, const struct finding *list, unsigned n)
{
    fprintf(out, "failure %jd %016jx %u\n", (intmax_t)f->id, (uintmax_t)f->event_id, f->attempts);
    for (unsigned i = 0; i < n; i++)
        fprintf(out, " %s %s\n", list[i].code, list[i].evidence);
}

static void on_failure_gone(void *out, int64_t id)
{
    fprintf(out, "gone %jd\n", (intmax_t)id);
}

static void on_advance(void *out, tick_t now)
{
    fprintf(out, "now %jd\n", (intmax_t)now);
}

static void on_traffic(void *out, const struct traffic_row *r)
{
    fprintf(out, "traffic %u %u %u\n", r->connected, r->refused, r->timeout);
}

static void on_leap(void *out, tick_t from, tick_t to)
{
    fprintf(out, "leap %jd %jd\n", (intmax_t)from, (intmax_t)to);
}

static void on_signaling(void *out, uint16_t port)
{
    fprintf(out, "signaling %u\n", port);
}

static void on_trouble(void *out, const struct relay_trouble *t)
{
    fprintf(out, "trouble %u %u %s\n", t->server.port, t->verdict, t->detail);
}

static void on_tls(void *out, const struct fact_tls *t)
{
    fprintf(out, "tls %jd %u %s %s %s %s %s\n", (intmax_t)t->id, t->server.port,
            t->version ? t->version : "-", t->sni ? t->sni : "-", t->state ? t->state : "-",
            t->server_end.subject ? t->server_end.subject : "-", t->advice ? t->advice : "-");
}

/* ---- a capture, read both ways ---- */

struct told {
    char *text;
    size_t n;
    struct engine_counts counts;
};

static bool read_capture(const char *path, bool threads, bool live, struct told *t)
{
    struct source_options none = {0};
    FILE *out = open_memstream(&t->text, &t->n);
    const struct engine_out to = {.arg = out,
                                  .attempt = on_attempt,
                                  .attempt_failure = on_attempt_failure,
                                  .call = on_call,
                                  .allocation = on_allocation,
                                  .alias = on_alias,
                                  .failure = on_failure,
                                  .failure_gone = on_failure_gone,
                                  .advance = on_advance,
                                  .traffic = on_traffic,
                                  .leap = on_leap,
                                  .signaling = on_signaling,
                                  .trouble = on_trouble,
                                  .tls = on_tls};
    const struct engine_config config = {
        .sensor = "two", .seed = 7, .threads = threads, .live = live, .interim = live};
    const char *why;
    struct sources *s = sources_new(&none);
    struct pipeline *p = pipeline_new(&config, &to, &why);
    struct raw_packet group[PIPELINE_GROUP];
    tick_t idle;
    assert_non_null(p);
    bool good = sources_add_file(s, path) == SOURCE_OK && sources_start(s) == 0;
    while (good && sources_next(s, 1000, group, &idle) == PULL_PACKET)
        pipeline_frames(p, group, 1 + sources_more(s, group + 1, PIPELINE_GROUP - 1));
    pipeline_finish(p);
    pipeline_counts(p, &t->counts);
    pipeline_free(p);
    sources_free(s);
    fclose(out);
    return good;
}

static void say_first_difference(const char *name, const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    fail_msg("%s: one thread tells ...%.80s, two ...%.80s", name, a, b);
}

static void compare(const char *path, bool live)
{
    struct told one, two;
    if (!read_capture(path, false, live, &one) || !read_capture(path, true, live, &two))
        fail_msg("%s cannot be read", path);
    if (one.n != two.n || memcmp(one.text, two.text, one.n) != 0)
        say_first_difference(path, one.text, two.text);
    assert_memory_equal(&one.counts, &two.counts, sizeof one.counts);
    free(one.text);
    free(two.text);
}

/* How many there were. */
static unsigned compare_folder(const char *folder)
{
    unsigned n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[512];
        const char *dot = strrchr(e->d_name, '.');
        if (!dot || strncmp(dot, ".pcap", 5) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        compare(path, n % 2);
        n++;
    }
    if (d)
        closedir(d);
    return n;
}

static void the_samples(void **state)
{
    (void)state;
    assert_in_range(compare_folder("pcaps"), 20, 1000);
}

static void real_captures(void **state)
{
    (void)state;
    if (!captures_dir())
        skip();
    assert_in_range(compare_folder(captures_dir()), 20, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_samples),
        cmocka_unit_test(real_captures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SIP logs: the input as lines, and these through a logbook. What comes out lies in the input. */
#include "flows/logbook.h"
#include "flows/wire/siplog.h"
#include "tests/fuzz/inside.h"

#include <string.h>

static void no_call(void *arg, const struct fact_call *c)
{
    (void)arg;
    must(c->call_id != NULL);
}

static void no_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    (void)arg, (void)f, (void)list, (void)n;
}

static void no_id(void *arg, int64_t id)
{
    (void)arg, (void)id;
}

static void no_link(void *arg, uint64_t attempt, int64_t failure)
{
    (void)arg, (void)attempt, (void)failure;
}

static void lines(struct slice in)
{
    static const struct joiner_config config = {.sensor = "fuzz", .seed = 1};
    static const struct joiner_hooks hooks = {NULL, no_failure, no_id, no_link, NULL};
    static const struct engine_out out = {.call = no_call};
    static struct joiner *j; /* for all inputs: making them costs more than an input */
    static struct calls *c;
    if (!c) {
        j = joiner_new(&config, &hooks);
        c = calls_new(j, &out, false, 1);
    }
    struct logbook *b = logbook_new(c, "fuzz");
    struct slice line;
    uint64_t n = 0, first;
    must(b != NULL);
    for (size_t at = 0, last = 0; siplog_next_line(in, &at, &line); last = at) {
        struct siplog_line l;
        must(at > last && at <= in.n);
        must_be_inside(line, in);
        siplog_line(line, &l);
        must_be_inside(l.text, in);
        must_be_inside(l.stamp, in);
        logbook_line(b, line, ++n, at == in.n && in.p[at - 1] != '\n');
    }
    (void)logbook_finish(b, &first);
    calls_finish(c);
    logbook_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lines(slice_of(data, size));
    return 0;
}

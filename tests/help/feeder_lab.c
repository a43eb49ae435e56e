/* The fixture of the feeder's unit tests. */
#include "tests/help/feeder_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void start(struct lab *l, uint32_t streams, uint32_t rooms)
{
    *l = (struct lab){.reader = {.lines = true}};
    struct stream_reader r = lab_stream_reader(&l->reader);
    const char *why = "";
    l->feeder = feeder_new(streams, rooms, &r, &why);
    assert_non_null(l->feeder);
    l->flow = lab_flow(LAB_CLIENT_ISN, LAB_SERVER_ISN);
    l->conn = lab_connect(l->feeder, &l->flow, LAB_CLIENT_ISN, LAB_SERVER_ISN);
}

static void finish(struct lab *l)
{
    feeder_free(l->feeder);
    lab_reader_free(&l->reader);
}

int lab_set_up(void **state)
{
    static struct lab lab;
    start(&lab, 16, 8);
    *state = &lab;
    return 0;
}

int lab_tear_down(void **state)
{
    finish(*state);
    return 0;
}

void lab_restart(struct lab *l, uint32_t streams, uint32_t rooms)
{
    finish(l);
    start(l, streams, rooms);
}

void lab_counts(struct lab *l)
{
    feeder_counts(l->feeder, &l->counts);
}

void lab_assert_got(const struct lab *l, enum stream_side side, const char *text)
{
    assert_int_equal(l->reader.seen.n[side], strlen(text));
    if (*text)
        assert_memory_equal(l->reader.seen.bytes[side], text, strlen(text));
}

void lab_assert_gap(const struct lab *l, unsigned i, enum stream_side side, size_t at,
                    uint32_t missing)
{
    assert_true(i < l->reader.seen.gaps);
    assert_int_equal(l->reader.seen.gap[i].side, side);
    assert_int_equal(l->reader.seen.gap[i].at, at);
    assert_int_equal(l->reader.seen.gap[i].missing, missing);
}

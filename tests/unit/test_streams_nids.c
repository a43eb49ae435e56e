/*
 * The door to libnids keeps out what it is known to do wrong: one claim per test. What the feeder
 * has to keep away from it (holes, acknowledgments, addresses) is in test_reassembly.c and
 * test_feeder.c.
 */
#include "flows/streams_nids.h"

#include "flows/synth.h"

#include <limits.h>
#include <nids.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { STREAMS = 1000 };

/* What came out, and what to do with it. */
static struct {
    uint8_t bytes[2][4096];
    size_t n[2];
    uint64_t total;
    size_t largest;
    enum { TAKE_ALL, TAKE_NONE, LEAVE_ONE } take;
} got;

static size_t sink(void *arg, struct nids_stream *n, enum stream_side side, struct slice avail,
                   size_t fresh)
{
    (void)arg, (void)n;
    struct slice newest = slice_of(avail.p + avail.n - fresh, fresh);
    if (got.n[side] + fresh <= sizeof got.bytes[side]) {
        memcpy(got.bytes[side] + got.n[side], newest.p, fresh);
        got.n[side] += fresh;
    }
    got.total += fresh;
    if (avail.n > got.largest)
        got.largest = avail.n;
    if (got.take == TAKE_NONE)
        return 0;
    return got.take == LEAVE_ONE ? avail.n - 1 : avail.n;
}

static const struct nids_sink to_got = {NULL, sink};
static const uint32_t starts[2] = {1000, 7000};

static int set_up(void **state)
{
    const char *why = NULL;
    assert_true(streams_nids_start(STREAMS, &to_got, &why) >= STREAMS);
    memset(&got, 0, sizeof got);
    static struct nids_stream stream;
    stream = (struct nids_stream){0};
    assert_true(streams_nids_open(&stream, 1, starts, TICK_S));
    *state = &stream;
    return 0;
}

static int tear_down(void **state)
{
    streams_nids_close(*state);
    streams_nids_stop();
    return 0;
}

static void feed(struct nids_stream *n, enum stream_side side, uint32_t seq, const char *text)
{
    assert_true(streams_nids_feed(n, side, seq, slice_str(text), TICK_S));
}

static void assert_got(enum stream_side side, const char *text)
{
    assert_int_equal(got.n[side], strlen(text));
    assert_memory_equal(got.bytes[side], text, strlen(text));
}

/* ---- what it is for ---- */

static void test_both_sides_are_told_apart(void **state)
{
    feed(*state, SIDE_CLIENT, 1000, "question");
    feed(*state, SIDE_SERVER, 7000, "answer");
    assert_got(SIDE_CLIENT, "question");
    assert_got(SIDE_SERVER, "answer");
}

static void test_disorder_is_put_right(void **state)
{
    feed(*state, SIDE_CLIENT, 1006, "ghi");
    feed(*state, SIDE_CLIENT, 1003, "def");
    feed(*state, SIDE_CLIENT, 1000, "abc");
    assert_got(SIDE_CLIENT, "abcdefghi");
}

static void test_a_rest_comes_again_with_more_behind(void **state)
{
    got.take = TAKE_NONE;
    feed(*state, SIDE_CLIENT, 1000, "abc");
    got.take = TAKE_ALL;
    feed(*state, SIDE_CLIENT, 1003, "def");
    assert_int_equal(got.largest, 6);
}

static void test_segment_above_64k(void **state)
{
    static uint8_t block[200000];
    assert_true(streams_nids_feed(*state, SIDE_CLIENT, 1000, slice_of(block, sizeof block), 0));
    assert_int_equal(got.total, sizeof block);
}

static void test_seek_goes_on_elsewhere(void **state)
{
    struct nids_stream *n = *state;
    feed(n, SIDE_CLIENT, 1000, "abc");
    streams_nids_seek(n, SIDE_CLIENT, 0xfffffffe); /* over the wrap, and back by 2 GiB and more */
    feed(n, SIDE_CLIENT, 0xfffffffe, "defg");
    streams_nids_seek(n, SIDE_CLIENT, 50);
    feed(n, SIDE_CLIENT, 50, "h");
    assert_got(SIDE_CLIENT, "abcdefgh");
}

static void test_shrink_gives_the_buffer_back(void **state)
{
    struct nids_stream *n = *state;
    feed(n, SIDE_CLIENT, 1000, "abc");
    assert_int_not_equal(streams_nids_memory(n), 0);
    streams_nids_shrink(n, SIDE_CLIENT);
    assert_int_equal(streams_nids_memory(n), 0);
    feed(n, SIDE_CLIENT, 1003, "def");
    assert_got(SIDE_CLIENT, "abcdef");
}

/* ---- defects kept away ---- */

static void test_scan_detector_is_off(void **state)
{
    (void)state;
    assert_int_equal(nids_params.scan_num_hosts, 0); /* heap overflow otherwise */
}

static void test_workarounds_and_threads_are_off(void **state)
{
    (void)state;
    assert_int_equal(nids_params.tcp_workarounds, 0);
    assert_int_equal(nids_params.multiproc, 0);
    assert_int_equal(nids_params.one_loop_less, 0); /* more than one callback per segment */
}

static void test_opens_no_device(void **state)
{
    (void)state;
    assert_null(nids_params.device);
    assert_null(nids_params.filename);
    assert_int_equal(pcap_datalink(nids_params.pcap_desc), DLT_RAW);
    assert_int_equal(pcap_dispatch(nids_params.pcap_desc, 1, NULL, NULL), PCAP_ERROR); /* dead */
}

static void test_table_holds_what_was_granted(void **state)
{
    (void)state;
    static struct nids_stream many[STREAMS];
    uint64_t warnings = streams_nids_warnings();
    for (uint32_t i = 1; i < STREAMS; i++)
        assert_true(streams_nids_open(&many[i], 1 + i, starts, TICK_S));
    for (uint32_t i = 1; i < STREAMS; i++)
        feed(&many[i], SIDE_CLIENT, 1000, "x");
    feed(*state, SIDE_CLIENT, 1000, "x"); /* the oldest has not been evicted */
    assert_int_equal(got.total, STREAMS);
    assert_int_equal(streams_nids_warnings(), warnings);
    for (uint32_t i = 1; i < STREAMS; i++)
        streams_nids_close(&many[i]);
}

static void test_complaints_are_counted_not_logged(void **state)
{
    struct nids_stream *n = *state;
    static uint8_t block[30000];
    uint64_t warnings = streams_nids_warnings();
    for (uint32_t i = 1; i < 4; i++) /* what fits() is there to prevent */
        streams_nids_feed(n, SIDE_CLIENT, 1000 + i * 30000, slice_of(block, sizeof block), 0);
    assert_int_equal(streams_nids_warnings(), warnings + 1);
}

static void test_fits_says_no_before_libnids_throws_away(void **state)
{
    struct nids_stream *n = *state;
    uint64_t warnings = streams_nids_warnings();
    unsigned fed = 0;
    for (uint32_t at = 1002; streams_nids_fits(n, SIDE_CLIENT, 1); at += 2, fed++)
        feed(n, SIDE_CLIENT, at, "x");
    assert_true(fed > 200);
    assert_int_equal(streams_nids_warnings(), warnings);
    assert_true(streams_nids_fits(n, SIDE_SERVER, 60000));
}

static void test_no_acknowledgment_is_needed_for_a_gigabyte(void **state)
{
    struct nids_stream *n = *state;
    static uint8_t block[65000];
    got.take = LEAVE_ONE; /* never clean, so that nothing restarts libnids' counters */
    uint32_t seq = 1000;
    uint64_t bytes = 0;
    for (; bytes < UINT64_C(2200) << 20; bytes += sizeof block, seq += (uint32_t)sizeof block)
        assert_true(streams_nids_feed(n, SIDE_CLIENT, seq, slice_of(block, sizeof block), 0));
    assert_int_equal(got.total, bytes); /* beyond the window of 1 GiB, and INT_MAX */
    assert_true(got.largest <= sizeof block + 1);
}

static void test_number_can_be_used_again_after_close(void **state)
{
    struct nids_stream *n = *state;
    feed(n, SIDE_CLIENT, 1000, "old");
    streams_nids_close(n);
    streams_nids_close(n);
    static const uint32_t anew[2] = {90000, 80000};
    assert_true(streams_nids_open(n, 1, anew, TICK_S));
    feed(n, SIDE_CLIENT, 90000, "new");
    assert_got(SIDE_CLIENT, "oldnew");
}

static void test_highest_numbers_are_no_special_addresses(void **state)
{
    (void)state;
    struct nids_stream n = {0};
    assert_true(streams_nids_open(&n, SYNTH_STREAMS_MAX, starts, TICK_S));
    feed(&n, SIDE_SERVER, 7000, "x");
    assert_got(SIDE_SERVER, "x");
    streams_nids_close(&n);
}

static void test_second_start_is_refused_while_in_use(void **state)
{
    (void)state;
    const char *why = NULL;
    assert_int_equal(streams_nids_start(1, &to_got, &why), 0);
    assert_non_null(why);
}

static void test_starts_again_without_a_second_init(void **state)
{
    streams_nids_close(*state);
    streams_nids_stop();
    const char *why = NULL;
    pcap_t *handle = nids_params.pcap_desc;
    uint32_t granted = streams_nids_start(STREAMS * 100, &to_got, &why);
    assert_in_range(granted, STREAMS, STREAMS * 100 - 1); /* sized once */
    assert_ptr_equal(nids_params.pcap_desc, handle);
    assert_true(streams_nids_open(*state, 1, starts, TICK_S));
}

enum { ADDRESS_SPACE = 200 << 20 };

/* Under a sanitizer or valgrind the address space is far larger, and can't be limited to that. */
static bool can_limit_memory(void)
{
    unsigned long pages = ULONG_MAX;
    FILE *f = fopen("/proc/self/statm", "r");
    bool read = f && fscanf(f, "%lu", &pages) == 1;
    if (f)
        fclose(f);
    return read && pages < ADDRESS_SPACE / 2 / 4096;
}

/* In a process of its own, which must neither exit nor crash while libnids finds no memory. */
static int without_memory(void)
{
    struct nids_stream n = {0};
    const char *why = NULL;
    if (!streams_nids_start(4, &to_got, &why) || !streams_nids_open(&n, 1, starts, 0))
        return 2;
    static uint8_t block[60000];
    got.take = TAKE_NONE;
    if (setrlimit(RLIMIT_AS, &(struct rlimit){ADDRESS_SPACE, RLIM_INFINITY}) != 0)
        return 3;
    bool fed = true;
    uint32_t seq = 1000;
    for (int i = 0; fed && i < 20000; i++, seq += (uint32_t)sizeof block)
        fed = streams_nids_feed(&n, SIDE_CLIENT, seq, slice_of(block, sizeof block), 0);
    if (fed || n.tcp)
        return 4;
    got.take = TAKE_ALL;
    got.n[SIDE_CLIENT] = 0;
    if (!streams_nids_open(&n, 1, starts, 0) ||
        !streams_nids_feed(&n, SIDE_CLIENT, 1000, slice_str("on"), 0))
        return 5;
    return got.n[SIDE_CLIENT] == 2 ? 0 : 6;
}

static void test_no_memory_closes_one_stream_and_the_process_lives(void **state)
{
    (void)state;
    if (!can_limit_memory())
        skip();
    fflush(stdout);
    streams_nids_close(*state);
    streams_nids_stop();
    pid_t child = fork();
    if (child == 0)
        _exit(without_memory());
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    const char *why = NULL;
    assert_true(streams_nids_start(STREAMS, &to_got, &why) > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_both_sides_are_told_apart),
        CASE(test_disorder_is_put_right),
        CASE(test_a_rest_comes_again_with_more_behind),
        CASE(test_segment_above_64k),
        CASE(test_seek_goes_on_elsewhere),
        CASE(test_shrink_gives_the_buffer_back),
        CASE(test_scan_detector_is_off),
        CASE(test_workarounds_and_threads_are_off),
        CASE(test_opens_no_device),
        CASE(test_table_holds_what_was_granted),
        CASE(test_complaints_are_counted_not_logged),
        CASE(test_fits_says_no_before_libnids_throws_away),
        CASE(test_no_acknowledgment_is_needed_for_a_gigabyte),
        CASE(test_number_can_be_used_again_after_close),
        CASE(test_highest_numbers_are_no_special_addresses),
        CASE(test_second_start_is_refused_while_in_use),
        CASE(test_starts_again_without_a_second_init),
        CASE(test_no_memory_closes_one_stream_and_the_process_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

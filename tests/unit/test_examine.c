/* From what was seen to what is to be thought of it. */
#include "cli/examine.h"

#include "tests/help/expect.h"

static struct examined e;
static struct checkup lines;

/* A span port as it should be: everything is seen. */
static int setup(void **state)
{
    (void)state;
    e = (struct examined){
        .live = true,
        .promisc = true,
        .seconds = 60 * TICK_S,
        .ring_bytes = 64 << 20,
        .clock_known = true,
        .clock_synced = true,
        .n_ifaces = 1,
        .ifaces[0] = {.name = "eth1",
                      .packets = 1000,
                      .link = {.up = true, .running = true, .mtu = 1500, .promiscuity = 1}},
        .survey = {.frames = 1000,
                   .bytes = 500000,
                   .talks = 100,
                   .conversations = 120,
                   .first = 0,
                   .last = 60 * TICK_S,
                   .peak_frames = 50,
                   .peak_bytes = 20000},
        .allocations = 3,
        .granted = 3,
        .n_relays = 1,
        .relays[0] = {.allocations = 3, .seen = {10, 10}},
        .loss.engine = {.sip_messages = 10, .calls = 2},
        .db = "x.db",
        .disk_known = true,
        .disk_free = UINT64_C(1) << 40,
        .written = 1000,
    };
    return 0;
}

/* The judgement of the (first) line of that check; -1 = there is none. */
static int judged(const char *check)
{
    examine(&e, &lines);
    for (unsigned i = 0; i < lines.n; i++)
        if (strcmp(lines.lines[i].check, check) == 0) {
            /* a remark without advice helps nobody; praise needs none */
            assert_true((lines.lines[i].advice == NULL) == (lines.lines[i].judgement == CHECK_OK));
            return (int)lines.lines[i].judgement;
        }
    return -1;
}

static void a_good_span_port_is_usable_without_remarks(void **state)
{
    (void)state;
    examine(&e, &lines);
    for (unsigned i = 0; i < lines.n; i++)
        if (lines.lines[i].judgement != CHECK_OK)
            fail_msg("%s: %s", lines.lines[i].check, lines.lines[i].fact);
    assert_true(lines.n > 12);
    assert_true(checkup_usable(&lines));
}

static void one_direction_makes_it_useless(void **state)
{
    (void)state;
    e.survey.one_way = 4;
    assert_int_equal(judged("directions"), CHECK_OK);
    e.survey.one_way = 5;
    assert_int_equal(judged("directions"), CHECK_LOOK);
    e.survey.one_way = 50;
    assert_int_equal(judged("directions"), CHECK_BAD);
    assert_false(checkup_usable(&lines));
    e.survey.talks = e.survey.one_way = 4; /* so few prove nothing */
    assert_int_equal(judged("directions"), CHECK_LOOK);
}

static void both_sides_of_the_edge(void **state)
{
    (void)state;
    e.relays[0].seen = (struct survey_addr){0, 0};
    assert_int_equal(judged("edge sides"), CHECK_LOOK);
    e.granted = e.n_relays = 0;
    assert_int_equal(judged("edge sides"), CHECK_LOOK);
}

static void drops_are_told_by_place(void **state)
{
    (void)state;
    e.ifaces[0].kernel_drops = 1;
    assert_int_equal(judged("drops"), CHECK_LOOK);
    e.ifaces[0].nic_drops = 20;
    assert_int_equal(judged("drops"), CHECK_BAD);
    for (unsigned i = 0; i < lines.n; i++)
        if (strcmp(lines.lines[i].check, "drops") == 0) {
            expect_text(lines.lines[i].fact, "20 in the card, 1 in the kernel");
            expect_text(lines.lines[i].advice, "ethtool -G");
        }
}

static void the_interface_itself(void **state)
{
    (void)state;
    strcpy(e.ifaces[0].merges, "GRO");
    assert_int_equal(judged("offload"), CHECK_LOOK);
    e.ifaces[0].link.promiscuity = 0;
    assert_int_equal(judged("rights"), CHECK_LOOK);
    e.ifaces[0].link.running = false;
    assert_int_equal(judged("link"), CHECK_BAD);
    e.ifaces[0].gone = true;
    assert_int_equal(judged("link"), CHECK_BAD);
}

static void silence_is_bad(void **state)
{
    (void)state;
    e.ifaces[0].packets = 0;
    e.survey = (struct survey_facts){.first = TICK_NONE, .last = TICK_NONE};
    assert_int_equal(judged("packets"), CHECK_BAD);
    assert_int_equal(judged("directions"), -1);
}

static void clocks(void **state)
{
    (void)state;
    e.clock_error_us = 200000;
    assert_int_equal(judged("clock"), CHECK_LOOK);
    e.clock_synced = false;
    assert_int_equal(judged("clock"), CHECK_LOOK);
    e.live = false;
    assert_int_equal(judged("clock"), -1); /* a file's clock is another machine's */
    e.survey.steps_back = 1;
    assert_int_equal(judged("time"), CHECK_LOOK);
}

static void sizes_ring_and_disk(void **state)
{
    (void)state;
    e.survey.cut = 1;
    assert_int_equal(judged("snap length"), CHECK_LOOK);
    e.survey.long_frames = 1;
    assert_int_equal(judged("frame size"), CHECK_LOOK);
    e.survey.peak_bytes = 65 << 20;
    assert_int_equal(judged("ring"), CHECK_LOOK);
    e.loss.duplicates = 100;
    assert_int_equal(judged("duplicates"), CHECK_LOOK);
    e.written = UINT64_C(1) << 30; /* a GiB a minute: 17 hours left */
    assert_int_equal(judged("disk"), CHECK_LOOK);
    e.seconds = 10 * TICK_S; /* too short to tell */
    assert_int_equal(judged("disk"), CHECK_OK);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        T(a_good_span_port_is_usable_without_remarks),
        T(one_direction_makes_it_useless),
        T(both_sides_of_the_edge),
        T(drops_are_told_by_place),
        T(the_interface_itself),
        T(silence_is_bad),
        T(clocks),
        T(sizes_ring_and_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

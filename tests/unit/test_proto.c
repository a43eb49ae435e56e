/* SIP streams as the feeder hands them on: piece by piece, what was not taken coming again. */
#include "flows/proto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flows/feeds.h"
#include "flows/limits.h"
#include "tests/help/guard.h"

static const char OPTIONS[] = "OPTIONS sip:b@fabrikam.com SIP/2.0\r\n"
                              "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 12\r\n\r\n"
                              "twelve bytes";

struct line {
    struct joiner *joiner;
    struct calls *calls;
    struct feeds *feeds;
    struct handover *handover;
    struct proto *proto;
    struct flow flow;
    struct stream stream;
};

static void no_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    (void)arg, (void)f, (void)list, (void)n;
}

static int setup(void **state)
{
    static const struct joiner_config plain = {.sensor = "here"};
    static const struct joiner_hooks hooks = {.failure = no_failure};
    static const struct engine_out nowhere;
    struct line *l = calloc(1, sizeof *l);
    l->joiner = joiner_new(&plain, &hooks);
    l->calls = calls_new(l->joiner, &nowhere, false, 1);
    const struct handover_to to = {.calls = l->calls, .joiner = l->joiner};
    l->handover = handover_new(&to, false);
    l->feeds = feeds_new(l->calls, &nowhere);
    l->proto = proto_new(
        &(struct proto_config){.handover = l->handover, .joiner = l->joiner, .feeds = l->feeds});
    l->flow.client.port = 50000;
    l->flow.server.port = 5060;
    l->stream = (struct stream){.flow = &l->flow, .from_start = true};
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    struct line *l = *state;
    const struct stream_reader *r = proto_reader(l->proto);
    r->over(r->arg, &l->stream, true);
    proto_free(l->proto);
    handover_free(l->handover);
    feeds_free(l->feeds);
    calls_free(l->calls);
    joiner_free(l->joiner);
    free(l);
    return 0;
}

static size_t give(struct line *l, const char *text, size_t n)
{
    const struct stream_reader *r = proto_reader(l->proto);
    struct stream_take take =
        r->data(r->arg, &l->stream, SIDE_CLIENT, slice_of((const uint8_t *)text, n));
    assert_false(take.release);
    return take.used;
}

static uint64_t messages(const struct line *l)
{
    struct calls_counts counts;
    calls_counts(l->calls, &counts);
    return counts.sip_messages;
}

static struct stream_take from(struct line *l, enum stream_side side, const void *p, size_t n)
{
    const struct stream_reader *r = proto_reader(l->proto);
    return r->data(r->arg, &l->stream, side, slice_of(p, n));
}

/* NEGOTIATE as the dossier has it (§6); then a header of six bytes that tells the size at byte 2.
 */
static void compression_is_agreed_on(struct line *l)
{
    static const char ask[] = "NEGOTIATE sip:fe.contoso.com SIP/2.0\r\nCSeq: 1 NEGOTIATE\r\n"
                              "Compression: LZ77-8K\r\nContent-Length: 0\r\n\r\n",
                      yes[] = "SIP/2.0 200 OK\r\nCSeq: 1 NEGOTIATE\r\nCompression: LZ77-8K\r\n"
                              "Content-Length: 0\r\n\r\n";
    assert_int_equal(from(l, SIDE_CLIENT, ask, sizeof ask - 1).used, sizeof ask - 1);
    assert_int_equal(from(l, SIDE_SERVER, yes, sizeof yes - 1).used, sizeof yes - 1);
}

static void behind_compression_headers(void **state)
{
    struct line *l = *state;
    struct proto_counts counts;
    uint8_t packet[6 + sizeof OPTIONS - 1] = {0x12, 0x34, 0, sizeof OPTIONS - 1, 0x80, 0x01};
    memcpy(packet + 6, OPTIONS, sizeof OPTIONS - 1);
    compression_is_agreed_on(l);
    assert_int_equal(from(l, SIDE_CLIENT, packet, 40).used, 0);
    struct stream_take take = from(l, SIDE_CLIENT, packet, sizeof packet);
    assert_int_equal(take.used, sizeof packet);
    assert_false(take.release);
    assert_int_equal(messages(l), 3);
    proto_counts(l->proto, &counts);
    assert_int_equal(counts.compressed_streams, 1);
    assert_int_equal(counts.compressed_unread, 0);
}

static void compression_that_stays_closed(void **state)
{
    struct line *l = *state;
    struct proto_counts counts;
    uint8_t packet[200];
    memset(packet, 0x9b, sizeof packet);
    compression_is_agreed_on(l);
    assert_true(from(l, SIDE_CLIENT, packet, sizeof packet).release);
    assert_int_equal(messages(l), 2);
    proto_counts(l->proto, &counts);
    assert_int_equal(counts.compressed_streams, 1);
    assert_int_equal(counts.compressed_unread, 1);
}

static void a_message_is_taken_with_its_last_byte(void **state)
{
    struct line *l = *state;
    size_t size = sizeof OPTIONS - 1;
    for (int round = 1; round <= 3; round++) {
        for (size_t n = 1; n < size; n++)
            assert_int_equal(give(l, OPTIONS, n), 0);
        assert_int_equal(give(l, OPTIONS, size), size);
        assert_int_equal(messages(l), round);
    }
}

/* the second one's front comes along, and only then the rest of it */
static void what_a_message_wants_counts_from_its_own_front(void **state)
{
    struct line *l = *state;
    char two[2 * sizeof OPTIONS];
    size_t size = sizeof OPTIONS - 1;
    snprintf(two, sizeof two, "%s%s", OPTIONS, OPTIONS);
    assert_int_equal(give(l, two, 2 * size - 5), size);
    assert_int_equal(give(l, two + size, size - 1), 0);
    assert_int_equal(give(l, two + size, size), size);
    assert_int_equal(messages(l), 2);
}

static void a_short_message_does_not_wait_for_the_size_of_the_one_before(void **state)
{
    struct line *l = *state;
    char longer[1000];
    int size = snprintf(longer, sizeof longer,
                        "OPTIONS sip:b@fabrikam.com SIP/2.0\r\n"
                        "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 400\r\n\r\n%0400d",
                        0);
    assert_int_equal(give(l, longer, (size_t)size - 1), 0);
    assert_int_equal(give(l, longer, (size_t)size), size);
    assert_int_equal(give(l, OPTIONS, sizeof OPTIONS - 1), sizeof OPTIONS - 1);
    assert_int_equal(messages(l), 2);
}

/* the rest of the first message is lost: the next one is shorter than what the first one wanted */
static void after_a_gap_nothing_is_waited_for(void **state)
{
    static const char LONG[] = "OPTIONS sip:b@fabrikam.com SIP/2.0\r\n"
                               "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 5000\r\n\r\n";
    struct line *l = *state;
    const struct stream_reader *r = proto_reader(l->proto);
    assert_int_equal(give(l, LONG, sizeof LONG - 1), 0);
    r->gap(r->arg, &l->stream, SIDE_CLIENT, 5000);
    assert_int_equal(give(l, OPTIONS, sizeof OPTIONS - 1), sizeof OPTIONS - 1);
    assert_int_equal(messages(l), 1);
}

static size_t give_copy(struct line *l, enum stream_side side, const char *text, size_t n)
{
    uint8_t *copy = guard_copy(text, n);
    struct stream_take take = from(l, side, copy, n);
    guard_free(copy, n);
    assert_false(take.release);
    return take.used;
}

/* Both sides wait for a body at once; the heads are long gone when it comes. */
static void the_bodies_of_two_messages_come_by_turns(void **state)
{
    struct line *l = *state;
    char ask[400], answer[400];
    int asks = snprintf(ask, sizeof ask,
                        "INVITE sip:b@fabrikam.com SIP/2.0\r\nFrom: <sip:a@contoso.com>;tag=a\r\n"
                        "To: <sip:b@fabrikam.com>\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\n"
                        "Content-Length: 30\r\n\r\n%030d",
                        0);
    int answers = snprintf(answer, sizeof answer,
                           "SIP/2.0 200 OK\r\nTo: <sip:a@contoso.com>;tag=a\r\n"
                           "From: <sip:c@fabrikam.com>\r\nCall-ID: another\r\nCSeq: 1 INVITE\r\n"
                           "Content-Length: 20\r\n\r\n%020d",
                           0);
    uint64_t whole = 0;
    for (int less = 1; less <= 40; less++) { /* from within the body into the head */
        assert_int_equal(give_copy(l, SIDE_CLIENT, ask, (size_t)(asks - less)), 0);
        assert_int_equal(give_copy(l, SIDE_SERVER, answer, (size_t)(answers - less)), 0);
        assert_int_equal(give_copy(l, SIDE_CLIENT, ask, (size_t)asks), asks);
        assert_int_equal(give_copy(l, SIDE_SERVER, answer, (size_t)answers), answers);
        assert_int_equal(give_copy(l, SIDE_CLIENT, ask, (size_t)(asks - less)), 0);
        assert_int_equal(give_copy(l, SIDE_CLIENT, ask, (size_t)asks), asks);
        assert_int_equal(messages(l), whole += 3);
    }
    struct calls_counts counts;
    calls_counts(l->calls, &counts);
    assert_int_equal(counts.calls, 2);
}

/* The head that waited is not taken for that of what comes behind the gap. */
static void behind_a_gap_another_message_may_wait(void **state)
{
    static const char one[] = "OPTIONS sip:b@fabrikam.com SIP/2.0\r\n"
                              "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 3\r\n\r\n",
                      two[] = "OPTIONS sip:b@fabrikam.com SIP/2.0\r\nCall-ID: 12\r\n"
                              "CSeq: 1 OPTIONS\r\nContent-Length: 7\r\n\r\n1234567";
    struct line *l = *state;
    const struct stream_reader *r = proto_reader(l->proto);
    assert_int_equal(give_copy(l, SIDE_CLIENT, one, sizeof one - 1), 0);
    r->gap(r->arg, &l->stream, SIDE_CLIENT, 3);
    for (size_t n = sizeof two - 20; n < sizeof two - 1; n++)
        assert_int_equal(give_copy(l, SIDE_CLIENT, two, n), 0);
    assert_int_equal(give_copy(l, SIDE_CLIENT, two, sizeof two - 1), sizeof two - 1);
    assert_int_equal(messages(l), 1);
}

static void a_message_too_long_is_given_up_and_counted(void **state)
{
    struct line *l = *state;
    size_t room = LIMIT_SIP_MESSAGE + 1 + sizeof OPTIONS;
    char *text = malloc(room);
    int head = snprintf(text, room,
                        "OPTIONS sip:b@fabrikam.com SIP/2.0\r\n"
                        "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 900000\r\n\r\n");
    memset(text + head, '\n', room - (size_t)head);
    memcpy(text + room - sizeof OPTIONS, OPTIONS, sizeof OPTIONS - 1);
    assert_int_equal(give(l, text, LIMIT_SIP_MESSAGE), 0);
    assert_int_equal(give(l, text, room - 1), room - 1);
    assert_int_equal(messages(l), 1);
    struct proto_counts counts;
    proto_counts(l->proto, &counts);
    assert_int_equal(counts.oversized, 1);
    free(text);
}

static size_t chunk(uint8_t *at, uint8_t type, const void *value, size_t n)
{
    const uint8_t head[6] = {0, 0, 0, type, (uint8_t)((n + 6) >> 8), (uint8_t)(n + 6)};
    memcpy(at, head, 6);
    memcpy(at + 6, value, n);
    return n + 6;
}

/* "HEP3" is as well the head of ChannelData of 0x5033 bytes on channel 0x4845. */
static void hep_that_is_as_long_as_channel_data(void **state)
{
    enum { SIZE = 4 + 0x5033, HEAD = 6 + 10 + 10 + 7 + 6 };
    static uint8_t bytes[SIZE], message[SIZE - HEAD];
    static const uint8_t seconds[4] = {0x50, 0xc5, 0xc0, 0}, micros[4], sip = 1;
    struct line *l = *state;
    struct packet k = {.proto = PROTO_UDP, .payload = slice_of(bytes, SIZE)};
    struct stun_msg stun;
    struct feeds_counts counts;
    size_t n = 6;
    memset(message, 'x', sizeof message);
    memcpy(message, OPTIONS, strlen(OPTIONS));
    memcpy(bytes, "HEP3", 4);
    bytes[4] = SIZE >> 8;
    bytes[5] = SIZE & 255;
    n += chunk(bytes + n, 9, seconds, 4);
    n += chunk(bytes + n, 10, micros, 4);
    n += chunk(bytes + n, 11, &sip, 1);
    n += chunk(bytes + n, 15, message, sizeof message);
    assert_int_equal(n, SIZE);
    assert_false(proto_datagram(l->proto, &k, &stun));
    feeds_counts(l->feeds, &counts);
    assert_int_equal(counts.messages, 1);
    assert_int_equal(messages(l), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(behind_compression_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(compression_that_stays_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_is_taken_with_its_last_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_message_wants_counts_from_its_own_front, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_short_message_does_not_wait_for_the_size_of_the_one_before, setup, teardown),
        cmocka_unit_test_setup_teardown(after_a_gap_nothing_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(the_bodies_of_two_messages_come_by_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(behind_a_gap_another_message_may_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_too_long_is_given_up_and_counted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(hep_that_is_as_long_as_channel_data, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

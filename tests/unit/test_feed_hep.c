/* The HEP feed as a source: datagrams, streams in pieces, floods, garbage. */
#include "capture/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

struct lab {
    struct sources *sources;
    char listen[32];
    uint16_t port;
};

static const struct source_options plain;

/* A port that was free a moment ago. */
static uint16_t free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    close(fd);
    return ntohs(a.sin_port);
}

static int setup(void **state)
{
    struct lab *l = calloc(1, sizeof *l);
    l->sources = sources_new(&plain);
    enum source_error e = SOURCE_NO_INTERFACE;
    for (int i = 0; i < 10 && e != SOURCE_OK; i++) {
        l->port = free_port();
        snprintf(l->listen, sizeof l->listen, "127.0.0.1:%u", l->port);
        e = sources_add_hep(l->sources, l->listen);
    }
    assert_int_equal(e, SOURCE_OK);
    assert_int_equal(sources_start(l->sources), 0);
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    struct lab *l = *state;
    sources_free(l->sources);
    free(l);
    return 0;
}

static int dial(const struct lab *l, int type)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(l->port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void put(int fd, const void *bytes, size_t n)
{
    assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* The next message, at the latest after two seconds; false if none came. */
static bool take(struct lab *l, struct raw_packet *raw, struct endpoint *sender,
                 struct slice *message)
{
    tick_t idle;
    for (int i = 0; i < 20; i++)
        if (sources_next(l->sources, 100, raw, &idle) == PULL_PACKET)
            return feed_frame_parse(raw, sender, message);
    return false;
}

static void assert_message(struct lab *l, const void *want, size_t n)
{
    struct raw_packet raw;
    struct endpoint sender;
    struct slice message;
    char text[ADDR_TEXT];
    assert_true(take(l, &raw, &sender, &message));
    assert_int_equal(raw.linktype, LINKTYPE_FEED_HEP);
    assert_int_equal(message.n, n);
    assert_memory_equal(message.p, want, n);
    if (n)
        assert_string_equal(addr_text(&sender.addr, text), "127.0.0.1");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    tick_t age = (tick_t)now.tv_sec * TICK_S + now.tv_nsec - raw.time;
    assert_true(age >= 0 && age < 5 * TICK_S);
}

static void assert_silence(struct lab *l)
{
    struct raw_packet raw;
    tick_t idle;
    assert_int_equal(sources_next(l->sources, 200, &raw, &idle), PULL_IDLE);
}

static const char one[] = "HEP3\0\x0d\0\0\0\x0b\0\x07\x01", two[] = "HEP3\0\x0c\0\0\0\x0f\0\x06";
#define ONE one, sizeof one - 1
#define TWO two, sizeof two - 1

static void datagrams_are_handed_on_as_they_are(void **state)
{
    struct lab *l = *state;
    int fd = dial(l, SOCK_DGRAM);
    put(fd, ONE);
    assert_message(l, ONE);
    put(fd, "garbage", 7); /* the engine's to judge */
    assert_message(l, "garbage", 7);
    close(fd);
}

static void a_stream_is_cut_into_messages_however_it_comes(void **state)
{
    struct lab *l = *state;
    int fd = dial(l, SOCK_STREAM);
    uint8_t both[sizeof one + sizeof two - 2];
    memcpy(both, ONE);
    memcpy(both + sizeof one - 1, TWO);
    put(fd, both, sizeof both);
    assert_message(l, ONE);
    assert_message(l, TWO);
    for (size_t i = 0; i < sizeof both; i++) {
        put(fd, both + i, 1);
        usleep(1000);
    }
    assert_message(l, ONE);
    assert_message(l, TWO);
    close(fd);
}

static void the_largest_message_of_a_stream(void **state)
{
    struct lab *l = *state;
    static uint8_t large[65535] = "HEP3\xff\xff";
    int fd = dial(l, SOCK_STREAM);
    for (size_t sent = 0; sent < sizeof large;) {
        ssize_t n = send(fd, large + sent, sizeof large - sent, MSG_NOSIGNAL);
        assert_true(n > 0);
        sent += (size_t)n;
    }
    put(fd, ONE);
    assert_message(l, large, sizeof large);
    assert_message(l, ONE);
    close(fd);
}

static bool hung_up(int fd)
{
    char c;
    struct timeval two_seconds = {.tv_sec = 2};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &two_seconds, sizeof two_seconds);
    return recv(fd, &c, 1, 0) <= 0;
}

static void a_stream_of_garbage_is_hung_up_on_and_counted(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {{"GET / HTTP/1.1\r\n", 16}, {"HEP3\0\x05", 6}, {"HELO", 4}, {"\x16\x03\x01", 3}};
    struct lab *l = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = dial(l, SOCK_STREAM);
        put(fd, cases[i].bytes, cases[i].n);
        assert_message(l, "", 0); /* an empty frame: one decode error */
        assert_true(hung_up(fd));
        close(fd);
    }
    assert_silence(l);
}

static void connections_over_the_cap_push_out_the_most_silent(void **state)
{
    struct lab *l = *state;
    int fds[FEED_CONNECTIONS + 1];
    for (int i = 0; i <= FEED_CONNECTIONS; i++) {
        fds[i] = dial(l, SOCK_STREAM);
        put(fds[i], ONE);
        assert_message(l, ONE);
    }
    assert_true(hung_up(fds[0]));
    put(fds[1], TWO);
    assert_message(l, TWO);
    put(fds[FEED_CONNECTIONS], TWO);
    assert_message(l, TWO);
    for (int i = 0; i <= FEED_CONNECTIONS; i++)
        close(fds[i]);
}

static void a_flood_is_bounded_and_every_message_accounted_for(void **state)
{
    enum { SENT = 60000 };
    struct lab *l = *state;
    int fd = dial(l, SOCK_DGRAM);
    struct source_counts c;
    uint64_t got = 0;
    struct raw_packet raw;
    tick_t idle;
    for (int i = 0; i < SENT; i++) /* nobody pulls meanwhile */
        put(fd, ONE);
    for (int quiet = 0; quiet < 5;) {
        bool some = sources_next(l->sources, 100, &raw, &idle) == PULL_PACKET;
        got += some;
        quiet = some ? 0 : quiet + 1;
    }
    sources_iface_counts(l->sources, 0, &c);
    assert_true(c.feed);
    assert_int_equal(c.packets, got + c.ring_drops);
    /* the kernel tells its losses with the next datagram */
    unsigned more = 0;
    do { /* which a busy machine may lose as well */
        put(fd, TWO);
        more++;
    } while (sources_next(l->sources, 1000, &raw, &idle) != PULL_PACKET);
    sources_iface_counts(l->sources, 0, &c);
    assert_int_equal(c.packets + c.kernel_drops, SENT + more);
    assert_true(got < SENT);
    close(fd);
}

static void a_place_in_use_is_refused(void **state)
{
    struct lab *l = *state;
    struct sources *more = sources_new(&plain);
    assert_int_equal(sources_add_hep(more, l->listen), SOURCE_NO_INTERFACE);
    assert_non_null(strstr(sources_error_text(more), l->listen));
    sources_free(more);
}

static void places_to_listen(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: refused */
    } cases[] = {
        {"9060", "127.0.0.1:9060"},
        {":9060", "127.0.0.1:9060"},
        {"10.1.1.5:9060", "10.1.1.5:9060"},
        {"[2001:db8::1]:9060", "[2001:db8::1]:9060"},
        {"[::1]:9060", "[::1]:9060"},
        {"", NULL},
        {":", NULL},
        {"0", NULL},
        {"65536", NULL},
        {"-1", NULL},
        {"+1", NULL},
        {"10.1.1.5", NULL},
        {"10.1.1.5:", NULL},
        {"10.1.1.5:0", NULL},
        {"host:9060", NULL},
        {"::1:9060", NULL},
        {"9060 ", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct endpoint e = {.port = 7};
        char text[ENDPOINT_TEXT];
        bool ok = feed_listen_parse(cases[i].text, &e);
        if (ok != (cases[i].want != NULL))
            fail_msg("\"%s\": %s", cases[i].text, ok ? "taken" : "refused");
        if (ok)
            assert_string_equal(endpoint_text(&e, text), cases[i].want);
        else
            assert_int_equal(e.port, 7);
    }
}

int main(void)
{
#define WITH_FEED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_FEED(datagrams_are_handed_on_as_they_are),
        WITH_FEED(a_stream_is_cut_into_messages_however_it_comes),
        WITH_FEED(the_largest_message_of_a_stream),
        WITH_FEED(a_stream_of_garbage_is_hung_up_on_and_counted),
        WITH_FEED(connections_over_the_cap_push_out_the_most_silent),
        WITH_FEED(a_flood_is_bounded_and_every_message_accounted_for),
        WITH_FEED(a_place_in_use_is_refused),
        cmocka_unit_test(places_to_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

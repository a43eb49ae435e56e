/*
 * Sources: whole files through threads and rings, merged by time, damaged, filtered, stopped; and
 * the loopback interface live.
 */
#include "capture/dedup.h"
#include "capture/source.h"

#include "tests/help/captures.h"
#include "tests/help/layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/test_sources.XXXXXX";
static const struct source_options plain;

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
    char cmd[64];
    (void)state;
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    return system(cmd);
}

static const char *in_dir(const char *name)
{
    static char path[2][256];
    static unsigned turn;
    char *p = path[turn++ % 2];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

/* A little-endian microsecond pcap; its records are UDP to the port given, at the times given. */
static FILE *pcap_open_new(const char *name)
{
    static const uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
    FILE *f = fopen(in_dir(name), "wb");
    assert_non_null(f);
    fwrite(header, sizeof header, 1, f);
    return f;
}

static void pcap_add(FILE *f, uint32_t us, uint16_t port, size_t payload)
{
    static struct layers l;
    static const uint8_t zero[65000];
    layers_begin(&l, zero, payload);
    layers_udp(&l, 1000, port);
    layers_ip4(&l, 17, "10.0.0.1", "10.0.0.2");
    layers_ethernet(&l, 0x0800);
    struct slice s = layers_slice(&l);
    uint32_t h[4] = {us / 1000000, us % 1000000, (uint32_t)s.n, (uint32_t)s.n};
    fwrite(h, sizeof h, 1, f);
    fwrite(s.p, s.n, 1, f);
}

static void write_pcap(const char *name, const uint32_t *us, size_t n, uint16_t port)
{
    FILE *f = pcap_open_new(name);
    for (size_t i = 0; i < n; i++)
        pcap_add(f, us[i], port, 10);
    fclose(f);
}

static struct sources *start(const struct source_options *opt, const char *const *files, size_t n)
{
    struct sources *s = sources_new(opt);
    for (size_t i = 0; i < n; i++)
        if (sources_add_file(s, files[i]) != SOURCE_OK)
            fail_msg("%s", sources_error_text(s));
    assert_int_equal(sources_start(s), 0);
    return s;
}

static bool next(struct sources *s, struct packet *p)
{
    struct raw_packet raw;
    struct fragment f;
    tick_t idle;
    if (sources_next(s, 100, &raw, &idle) != PULL_PACKET)
        return false;
    assert_int_equal(frame_decode(&raw, p, &f), FRAME_PACKET);
    return true;
}

static void several_files_are_merged_by_time(void **state)
{
    (void)state;
    static const uint32_t a[] = {10, 40, 41, 70}, b[] = {20, 30, 50}, c[] = {5, 45, 90, 91};
    static const struct {
        uint32_t us;
        uint16_t port;
    } want[] = {{5, 3},  {10, 1}, {20, 2}, {30, 2}, {40, 1}, {41, 1},
                {45, 3}, {50, 2}, {70, 1}, {90, 3}, {91, 3}};
    char paths[3][256];
    write_pcap("a", a, 4, 1);
    write_pcap("b", b, 3, 2);
    write_pcap("c", c, 4, 3);
    for (int i = 0; i < 3; i++)
        snprintf(paths[i], sizeof paths[i], "%s/%c", dir, 'a' + i);
    /* in either order of the command line */
    for (int turn = 0; turn < 2; turn++) {
        const char *const files[3] = {paths[turn ? 2 : 0], paths[1], paths[turn ? 0 : 2]};
        struct sources *s = start(&plain, files, 3);
        struct packet p;
        const char *text;
        for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
            assert_true(next(s, &p));
            assert_int_equal(p.time, want[i].us * TICK_US);
            assert_int_equal(p.dst.port, want[i].port);
        }
        assert_false(next(s, &p));
        assert_int_equal(sources_damage(s, &text), SOURCE_OK);
        assert_int_equal(sources_iface_count(s), 3);
        sources_free(s);
    }
}

/* sources_more() is a shortcut: never past a frame of another file, never past what is lent. */
static void frames_that_follow_at_once_are_the_same_ones(void **state)
{
    (void)state;
    static const uint32_t a[] = {10, 11, 12, 40, 41}, b[] = {20, 21, 50};
    static const tick_t want[] = {10, 11, 12, 20, 21, 40, 41, 50};
    char paths[2][256];
    write_pcap("more1", a, 5, 1);
    write_pcap("more2", b, 3, 2);
    snprintf(paths[0], sizeof paths[0], "%s/more1", dir);
    snprintf(paths[1], sizeof paths[1], "%s/more2", dir);
    const char *const files[2] = {paths[0], paths[1]};
    struct sources *s = start(&plain, files, 2);
    struct raw_packet group[2];
    tick_t idle;
    size_t got = 0;
    while (sources_next(s, 100, group, &idle) == PULL_PACKET) {
        unsigned n = 1 + sources_more(s, group + 1, 1);
        for (unsigned i = 0; i < n; i++)
            assert_int_equal(group[i].time, want[got++] * TICK_US);
    }
    assert_int_equal(got, 8);
    sources_free(s);
}

/* What the source's thread says of a frame is what the engine would find itself. */
static void frames_come_decoded_if_asked(void **state)
{
    (void)state;
    enum { FRAMES = 400, SEED = 4711 };
    FILE *f = pcap_open_new("decoded");
    for (uint32_t i = 0; i < FRAMES; i++)
        pcap_add(f, i, (uint16_t)(100 + i), i % 90 * 100);
    fclose(f);
    struct source_options opt = {.filter = "udp dst portrange 110-400"};
    struct sources *s = sources_new(&opt);
    assert_int_equal(sources_add_file(s, in_dir("decoded")), SOURCE_OK);
    sources_decode(s, SEED);
    assert_int_equal(sources_start(s), 0);
    struct raw_packet raw;
    struct packet p;
    struct fragment frag;
    tick_t idle;
    uint16_t port = 110;
    for (; sources_next(s, 100, &raw, &idle) == PULL_PACKET; port++) {
        const struct decoded *d = raw.decoded;
        assert_non_null(d);
        assert_int_equal(frame_decode(&raw, &p, &frag), FRAME_PACKET);
        assert_int_equal(d->kind, FRAME_PACKET);
        assert_int_equal(d->packet.dst.port, port);
        assert_true(endpoint_eq(&d->packet.src, &p.src) && endpoint_eq(&d->packet.dst, &p.dst));
        assert_int_equal(d->packet.time, raw.time);
        assert_int_equal(d->packet.iface, raw.iface);
        assert_ptr_equal(d->packet.raw.data, raw.data);
        assert_ptr_equal(d->packet.payload.p, p.payload.p);
        assert_int_equal(d->packet.payload.n, p.payload.n);
        assert_int_equal(d->dedup, dedup_hash(&p, SEED));
        assert_int_not_equal(d->dedup, dedup_hash(&p, SEED + 1));
        assert_int_equal(d->flow, endpoint_hash_pair(&p.dst, &p.src, SEED));
    }
    assert_int_equal(port, 401);
    sources_free(s);
}

static void frames_are_not_looked_into_unasked(void **state)
{
    (void)state;
    static const uint32_t a[] = {10, 20};
    write_pcap("plain", a, 2, 1);
    const char *const file = in_dir("plain");
    struct sources *s = start(&plain, &file, 1);
    struct raw_packet raw;
    tick_t idle;
    assert_int_equal(sources_next(s, 100, &raw, &idle), PULL_PACKET);
    assert_null(raw.decoded);
    sources_free(s);
}

static void within_a_file_its_own_order_stays(void **state)
{
    (void)state;
    static const uint32_t a[] = {100, 50, 60, 200};
    struct packet p;
    write_pcap("jump", a, 4, 1);
    const char *files[] = {in_dir("jump")};
    struct sources *s = start(&plain, files, 1);
    for (size_t i = 0; i < 4; i++) {
        assert_true(next(s, &p));
        assert_int_equal(p.time, a[i] * TICK_US);
    }
    sources_free(s);
}

/* Frames of every size up to the largest, many times the ring: each is carried over a batch's end
 * at some place, and the reader has to wait for us. */
static void frames_are_whole_across_batches(void **state)
{
    (void)state;
    struct packet p;
    FILE *f = pcap_open_new("big");
    for (uint32_t i = 0; i < 900; i++)
        pcap_add(f, i, (uint16_t)i, (i * 7919) % 64000);
    fclose(f);
    const char *files[] = {in_dir("big")};
    struct sources *s = start(&plain, files, 1);
    for (uint32_t i = 0; i < 900; i++) {
        assert_true(next(s, &p));
        assert_int_equal(p.dst.port, i);
        assert_int_equal(p.payload.n, (i * 7919) % 64000);
        for (size_t k = 0; k < p.payload.n; k += 997)
            assert_int_equal(p.payload.p[k], 0);
    }
    assert_false(next(s, &p));
    uint64_t done, total;
    struct source_counts c;
    sources_progress(s, &done, &total);
    assert_int_equal(done, total);
    sources_iface_counts(s, 0, &c);
    assert_int_equal(c.packets, 900);
    assert_int_equal(c.bytes, total - 24 - 900 * 16);
    assert_string_equal(sources_iface_name(s, 0), "big");
    sources_free(s);
}

static void a_cut_file_gives_what_is_before_and_says_where(void **state)
{
    (void)state;
    static const uint32_t a[] = {1, 2, 3};
    struct packet p;
    const char *text = "";
    write_pcap("cut", a, 3, 1);
    /* header 24, records of 16 + 52 */
    assert_int_equal(truncate(in_dir("cut"), 24 + 2 * 68 + 30), 0);
    const char *files[] = {in_dir("cut")};
    struct sources *s = start(&plain, files, 1);
    assert_true(next(s, &p));
    assert_true(next(s, &p));
    assert_false(next(s, &p));
    assert_int_equal(sources_damage(s, &text), SOURCE_BAD_INPUT);
    assert_non_null(strstr(text, "/cut: ends in the middle of the record at offset 160"));
    sources_free(s);
}

static void empty_and_foreign_files_are_bad_input(void **state)
{
    (void)state;
    static const struct {
        const char *name, *content, *want;
    } bad[] = {{"empty", "", "/empty: is empty"},
               {"text", "hello, world\n", "/text: is not a pcap or pcapng file"}};
    for (size_t i = 0; i < 2; i++) {
        FILE *f = fopen(in_dir(bad[i].name), "wb");
        fputs(bad[i].content, f);
        fclose(f);
        const char *files[] = {in_dir(bad[i].name)};
        struct sources *s = start(&plain, files, 1);
        struct packet p;
        const char *text = "";
        assert_false(next(s, &p));
        assert_int_equal(sources_damage(s, &text), SOURCE_BAD_INPUT);
        assert_non_null(strstr(text, bad[i].want));
        sources_free(s);
    }
}

static void what_cannot_be_opened_is_told_by_name(void **state)
{
    (void)state;
    struct sources *s = sources_new(&plain);
    assert_int_equal(sources_add_file(s, "/nowhere/x.pcap"), SOURCE_NOT_OPENED);
    assert_string_equal(sources_error_text(s), "/nowhere/x.pcap: No such file or directory");
    assert_int_equal(sources_add_file(s, dir), SOURCE_NOT_OPENED);
    assert_non_null(strstr(sources_error_text(s), "is not a file"));
    assert_int_equal(sources_add_interface(s, "nosuchif0"), SOURCE_NO_INTERFACE);
    assert_non_null(strstr(sources_error_text(s), "nosuchif0: "));
    sources_free(s);
}

static void a_filter_selects_frames_of_files(void **state)
{
    (void)state;
    struct source_options opt = {.filter = "udp port 7"};
    struct packet p;
    FILE *f = pcap_open_new("mix");
    for (uint32_t i = 0; i < 30; i++)
        pcap_add(f, i, (uint16_t)(5 + i % 3), 10);
    fclose(f);
    const char *files[] = {in_dir("mix")};
    struct sources *s = start(&opt, files, 1);
    struct source_counts c;
    for (uint32_t i = 0; i < 10; i++) {
        assert_true(next(s, &p));
        assert_int_equal(p.dst.port, 7);
    }
    assert_false(next(s, &p));
    sources_iface_counts(s, 0, &c);
    assert_int_equal(c.packets, 10);
    sources_free(s);
    opt.filter = "port beer";
    s = sources_new(&opt);
    assert_int_equal(sources_add_file(s, in_dir("mix")), SOURCE_BAD_FILTER);
    sources_free(s);
}

/* A pipe hands its frames out while it is still open, and stopping does not wait for its end. */
static void a_pipe_is_read_as_it_comes(void **state)
{
    (void)state;
    static const uint32_t a[] = {1, 2};
    struct packet p;
    write_pcap("fed", a, 2, 9);
    struct slice file = captures_read(in_dir("fed"));
    const char *fifo = in_dir("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    FILE *feed = fopen(fifo, "r+b");
    fwrite(file.p, file.n, 1, feed);
    fflush(feed);
    struct sources *s = start(&plain, &fifo, 1);
    assert_true(next(s, &p));
    assert_true(next(s, &p));
    assert_int_equal(p.dst.port, 9);
    uint64_t done, total;
    sources_progress(s, &done, &total);
    assert_int_equal(total, 0);
    sources_stop(s);
    assert_false(next(s, &p));
    sources_free(s);
    fclose(feed);
    free((void *)(uintptr_t)file.p);
}

static void stopping_early_ends_without_damage(void **state)
{
    (void)state;
    struct packet p;
    const char *text, *files[] = {in_dir("big")};
    struct sources *s = start(&plain, files, 1);
    unsigned n = 0;
    assert_true(next(s, &p));
    sources_stop(s);
    while (next(s, &p))
        n++;
    assert_in_range(n, 0, 899);
    assert_int_equal(sources_damage(s, &text), SOURCE_OK);
    sources_free(s);
    sources_free(start(&plain, files, 1)); /* not even looked at */
}

static void send_udp(int fd, uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(sendto(fd, "live", 4, 0, (struct sockaddr *)&to, sizeof to), 4);
}

/* True if a datagram to the port comes within two seconds or so. */
static bool comes(struct sources *s, uint16_t port)
{
    for (int i = 0; i < 20; i++) {
        struct raw_packet raw;
        struct packet p;
        struct fragment f;
        tick_t idle;
        while (sources_next(s, 100, &raw, &idle) == PULL_PACKET)
            if (frame_decode(&raw, &p, &f) == FRAME_PACKET && p.dst.port == port)
                return true;
    }
    return false;
}

static void the_loopback_interface_is_heard(void **state)
{
    (void)state;
    struct source_options opt = {.ring_mb = 2, .filter = "udp"};
    struct sources *s = sources_new(&opt);
    struct raw_packet raw;
    struct source_counts c;
    tick_t idle = TICK_NONE;
    if (sources_add_interface(s, "lo") != SOURCE_OK) {
        print_message("%s: skipped\n", sources_error_text(s));
        sources_free(s);
        skip();
    }
    assert_int_equal(sources_start(s), 0);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    send_udp(fd, 40000);
    assert_true(comes(s, 40000));
    while (sources_next(s, 50, &raw, &idle) == PULL_PACKET)
        ;
    assert_true(idle > 1600000000 * TICK_S);
    send_udp(fd, 40001);
    assert_true(comes(s, 40001));
    sources_stop(s);
    while (sources_next(s, 50, &raw, &idle) != PULL_END)
        ;
    sources_iface_counts(s, 0, &c);
    assert_true(c.packets >= 2);
    assert_string_equal(sources_iface_name(s, 0), "lo");
    close(fd);
    sources_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_files_are_merged_by_time),
        cmocka_unit_test(within_a_file_its_own_order_stays),
        cmocka_unit_test(frames_are_whole_across_batches),
        cmocka_unit_test(a_cut_file_gives_what_is_before_and_says_where),
        cmocka_unit_test(empty_and_foreign_files_are_bad_input),
        cmocka_unit_test(what_cannot_be_opened_is_told_by_name),
        cmocka_unit_test(a_filter_selects_frames_of_files),
        cmocka_unit_test(a_pipe_is_read_as_it_comes),
        cmocka_unit_test(stopping_early_ends_without_damage),
        cmocka_unit_test(the_loopback_interface_is_heard),
        cmocka_unit_test(frames_that_follow_at_once_are_the_same_ones),
        cmocka_unit_test(frames_come_decoded_if_asked),
        cmocka_unit_test(frames_are_not_looked_into_unasked),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}

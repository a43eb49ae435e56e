/* Capture files, made by hand: formats, byte orders, time units, and damage with its offset. */
#include "capture/capfile.h"

#include "tests/help/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

enum { ROOM = 4096 };

/* A file under construction, in either byte order. */
struct image {
    uint8_t b[8192];
    size_t n;
    bool big;
};

static void put(struct image *m, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        m->b[m->n++] = (uint8_t)(v >> 8 * (m->big ? bytes - 1 - i : i));
}

static void put_raw(struct image *m, const void *p, size_t n)
{
    memcpy(m->b + m->n, p, n);
    m->n += n;
    while (m->n % 4 && n)
        m->b[m->n++] = 0;
}

static void pcap_header(struct image *m, uint32_t magic, uint32_t linktype)
{
    put(m, magic, 4);
    put(m, 2, 2);
    put(m, 4, 2);
    put(m, 0, 8);
    put(m, 65535, 4);
    put(m, linktype, 4);
}

static void pcap_record(struct image *m, uint32_t s, uint32_t frac, uint32_t caplen, uint32_t len)
{
    put(m, s, 4);
    put(m, frac, 4);
    put(m, caplen, 4);
    put(m, len, 4);
}

/* Opens a pcapng block; block_end() fills both lengths in. */
static size_t block_begin(struct image *m, uint32_t type)
{
    size_t at = m->n;
    put(m, type, 4);
    put(m, 0, 4);
    return at;
}

static void block_end(struct image *m, size_t at)
{
    size_t n = m->n - at + 4, end = m->n;
    put(m, n, 4);
    m->n = at + 4;
    put(m, n, 4);
    m->n = end + 4;
}

static void section(struct image *m)
{
    size_t at = block_begin(m, 0x0a0d0d0a);
    put(m, 0x1a2b3c4d, 4);
    put(m, 1, 2);
    put(m, 0, 2);
    put(m, UINT64_MAX, 8);
    block_end(m, at);
}

static void interface(struct image *m, uint16_t linktype, uint32_t snaplen, const char *name,
                      int resol, int64_t offset)
{
    size_t at = block_begin(m, 1);
    put(m, linktype, 2);
    put(m, 0, 2);
    put(m, snaplen, 4);
    if (name) {
        put(m, 2, 2);
        put(m, strlen(name), 2);
        put_raw(m, name, strlen(name));
    }
    if (resol >= 0) {
        put(m, 9, 2);
        put(m, 1, 2);
        put_raw(m, &(uint8_t){(uint8_t)resol}, 1);
    }
    if (offset) {
        put(m, 14, 2);
        put(m, 8, 2);
        put(m, (uint64_t)offset, 8);
    }
    put(m, 0, 4);
    block_end(m, at);
}

static void enhanced(struct image *m, uint32_t iface, uint64_t ts, const char *data, uint32_t len)
{
    size_t at = block_begin(m, 6);
    put(m, iface, 4);
    put(m, ts >> 32, 4);
    put(m, ts & UINT32_MAX, 4);
    put(m, strlen(data), 4);
    put(m, len, 4);
    put_raw(m, data, strlen(data));
    block_end(m, at);
}

/* What a walk over a file found. */
struct result {
    struct batch_packet packets[ROOM];
    size_t count;
    char names[256]; /* of the interfaces, with a space behind each */
    unsigned ifaces;
    char damage[256];
};

static uint16_t note_iface(void *ctx, unsigned number, struct slice name)
{
    struct result *r = ctx;
    size_t at = strlen(r->names);
    (void)number;
    snprintf(r->names + at, sizeof r->names - at, "%.*s ", (int)name.n, (const char *)name.p);
    return (uint16_t)r->ifaces++;
}

/* Walks over bytes that arrive `step` at a time; they lie in front of the guard page. */
static void walk(struct slice file, size_t step, struct result *r)
{
    uint8_t *copy = guard_copy(file.p, file.n);
    struct batch b = {.bytes = copy, .size = file.n, .packets = r->packets, .room = ROOM};
    struct capfile *c = capfile_new(note_iface, r);
    r->names[0] = r->damage[0] = 0;
    r->ifaces = 0;
    while (b.end < file.n) {
        b.end = file.n - b.end < step ? file.n : b.end + step;
        capfile_walk(c, &b);
        if (b.count == ROOM)
            b.count = 0;
    }
    capfile_finish(c, b.end - b.at);
    r->count = b.count;
    if (capfile_damage(c))
        snprintf(r->damage, sizeof r->damage, "%s", capfile_damage(c));
    capfile_free(c);
    guard_free(copy, file.n);
}

static struct result *walk_image(const struct image *m, size_t step)
{
    static struct result r;
    walk(slice_of(m->b, m->n), step, &r);
    return &r;
}

static void both_orders_and_fractions_of_pcap_are_read(void **state)
{
    (void)state;
    static const struct {
        uint32_t magic;
        bool big;
        tick_t unit;
    } kinds[] = {{0xa1b2c3d4, false, TICK_US},
                 {0xa1b2c3d4, true, TICK_US},
                 {0xa1b23c4d, false, 1},
                 {0xa1b23c4d, true, 1}};
    for (size_t i = 0; i < 4; i++) {
        struct image m = {.big = kinds[i].big};
        pcap_header(&m, kinds[i].magic, 113);
        pcap_record(&m, 1700000000, 999999, 4, 60);
        put_raw(&m, "abcd", 4);
        pcap_record(&m, 1700000001, 0, 0, 0);
        struct result *r = walk_image(&m, m.n);
        assert_string_equal(r->damage, "");
        assert_int_equal(r->count, 2);
        assert_int_equal(r->packets[0].time, 1700000000 * TICK_S + 999999 * kinds[i].unit);
        assert_int_equal(r->packets[0].offset, 40);
        assert_int_equal(r->packets[0].caplen, 4);
        assert_int_equal(r->packets[0].len, 60);
        assert_int_equal(r->packets[0].linktype, 113);
        assert_int_equal(r->packets[1].time, 1700000001 * TICK_S);
    }
}

static void modified_pcap_has_longer_records(void **state)
{
    (void)state;
    struct image m = {0};
    pcap_header(&m, 0xa1b2cd34, 1);
    pcap_record(&m, 1, 2, 4, 4);
    put(&m, 7, 8);
    put_raw(&m, "abcd", 4);
    struct result *r = walk_image(&m, m.n);
    assert_string_equal(r->damage, "");
    assert_int_equal(r->count, 1);
    assert_int_equal(r->packets[0].offset, 24 + 24);
}

static void the_upper_half_of_the_link_type_is_not_one(void **state)
{
    (void)state;
    struct image m = {0};
    pcap_header(&m, 0xa1b2c3d4, 0x44000001); /* frames end with a checksum of 4 bytes */
    pcap_record(&m, 1, 2, 0, 0);
    assert_int_equal(walk_image(&m, m.n)->packets[0].linktype, 1);
}

static void sample_ng(struct image *m)
{
    section(m);
    interface(m, 1, 0, "eth0", -1, 0);
    interface(m, 101, 0, "tun 7", 9, 0);
    enhanced(m, 1, 1700000000123456789, "nanoseconds", 99);
    enhanced(m, 0, 1700000000123456, "microseconds", 12);
}

static void interfaces_of_pcapng_have_their_own_unit_and_link_type(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct image m = {.big = big};
        sample_ng(&m);
        struct result *r = walk_image(&m, m.n);
        assert_string_equal(r->damage, "");
        assert_string_equal(r->names, "eth0 tun 7 ");
        assert_int_equal(r->count, 2);
        assert_int_equal(r->packets[0].time, 1700000000123456789);
        assert_int_equal(r->packets[0].linktype, 101);
        assert_int_equal(r->packets[0].iface, 1);
        assert_int_equal(r->packets[0].caplen, 11);
        assert_int_equal(r->packets[0].len, 99);
        assert_memory_equal(m.b + r->packets[0].offset, "nanoseconds", 11);
        assert_int_equal(r->packets[1].time, 1700000000123456000);
        assert_int_equal(r->packets[1].linktype, 1);
        assert_int_equal(r->packets[1].iface, 0);
    }
}

static void time_units_and_offsets(void **state)
{
    (void)state;
    static const struct {
        int resol;
        int64_t offset;
        uint64_t ts;
        tick_t want;
    } units[] = {
        {0, 0, 5, 5 * TICK_S},
        {3, 0, 5001, 5001 * TICK_MS},
        {12, 0, 5000000001234, 5000000001},
        {0x80, 0, 5, 5 * TICK_S},
        {0x8a, 0, 1536, 1500 * TICK_MS},              /* 1/1024 s */
        {0xa0, 0, UINT64_C(3) << 31, 1500 * TICK_MS}, /* NTP's fraction */
        {6, 100, 1, 100 * TICK_S + TICK_US},
        {6, -100, 1, -100 * TICK_S + TICK_US},
        {9, 0, UINT64_MAX, INT64_MAX / 2}, /* far future: clamped */
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        for (int big = 0; big < 2; big++) {
            struct image m = {.big = big};
            section(&m);
            interface(&m, 1, 0, NULL, units[i].resol, units[i].offset);
            enhanced(&m, 0, units[i].ts, "x", 1);
            struct result *r = walk_image(&m, m.n);
            assert_string_equal(r->damage, "");
            assert_int_equal(r->packets[0].time, units[i].want);
        }
}

static void sections_may_differ_in_byte_order(void **state)
{
    (void)state;
    struct image m = {0};
    sample_ng(&m);
    m.big = true;
    section(&m);
    interface(&m, 113, 0, "any", -1, 0);
    enhanced(&m, 0, 7, "second", 6);
    struct result *r = walk_image(&m, m.n);
    assert_string_equal(r->damage, "");
    assert_string_equal(r->names, "eth0 tun 7 any ");
    assert_int_equal(r->count, 3);
    assert_int_equal(r->packets[2].linktype, 113);
    assert_int_equal(r->packets[2].iface, 2);
    assert_int_equal(r->packets[2].time, 7 * TICK_US);
}

static void simple_and_obsolete_packet_blocks_are_read(void **state)
{
    (void)state;
    struct image m = {0};
    section(&m);
    interface(&m, 1, 4, NULL, -1, 0);
    size_t at = block_begin(&m, 2);
    put(&m, 0, 2);
    put(&m, 9, 2); /* drops */
    put(&m, 0, 4);
    put(&m, 77, 4);
    put(&m, 3, 4);
    put(&m, 3, 4);
    put_raw(&m, "old", 3);
    block_end(&m, at);
    at = block_begin(&m, 3);
    put(&m, 10, 4); /* longer than the snap length of 4 */
    put_raw(&m, "simp", 4);
    block_end(&m, at);
    struct result *r = walk_image(&m, m.n);
    assert_string_equal(r->damage, "");
    assert_int_equal(r->count, 2);
    assert_int_equal(r->packets[0].time, 77 * TICK_US);
    assert_int_equal(r->packets[0].caplen, 3);
    assert_int_equal(r->packets[1].caplen, 4);
    assert_int_equal(r->packets[1].len, 10);
    assert_int_equal(r->packets[1].time, 77 * TICK_US); /* has none: that of the frame before */
    assert_memory_equal(m.b + r->packets[1].offset, "simp", 4);
}

static void other_blocks_are_passed_over(void **state)
{
    (void)state;
    static const uint32_t types[] = {4, 5, 10, 0xbad, 0x40000bad};
    struct image m = {0};
    sample_ng(&m);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t at = block_begin(&m, types[i]);
        put_raw(&m, "0123456789abcdef", 16);
        block_end(&m, at);
    }
    enhanced(&m, 0, 1, "last", 4);
    struct result *r = walk_image(&m, m.n);
    assert_string_equal(r->damage, "");
    assert_int_equal(r->count, 3);
}

static void bytes_may_arrive_one_by_one(void **state)
{
    (void)state;
    struct image m = {0}, p = {.big = true};
    sample_ng(&m);
    size_t at = block_begin(&m, 10);
    put_raw(&m, "0123456789abcdef", 16);
    block_end(&m, at);
    enhanced(&m, 0, 1, "last", 4);
    pcap_header(&p, 0xa1b2c3d4, 1);
    pcap_record(&p, 1, 2, 4, 4);
    put_raw(&p, "abcd", 4);
    for (size_t step = 1; step < 40; step++) {
        assert_int_equal(walk_image(&m, step)->count, 3);
        assert_int_equal(walk_image(&p, step)->count, 1);
    }
}

static void assert_damage(const struct image *m, size_t frames, const char *want)
{
    struct result *r = walk_image(m, m->n ? m->n : 1);
    assert_string_equal(r->damage, want);
    assert_int_equal(r->count, frames);
}

static void damage_is_told_with_its_offset(void **state)
{
    (void)state;
    struct image m = {0};
    assert_damage(&m, 0, "is empty");
    put_raw(&m, "hello world, this is text", 25);
    assert_damage(&m, 0, "is not a pcap or pcapng file");
    m.n = 3;
    assert_damage(&m, 0, "is not a pcap or pcapng file");
    m = (struct image){.b = {0x1f, 0x8b, 8, 0, 0}, .n = 5};
    assert_damage(&m, 0, "is compressed with gzip: unpack it first");

    m = (struct image){0};
    pcap_header(&m, 0xa1b2c3d4, 1);
    assert_damage(&m, 0, "holds no packets");
    m.n = 23;
    assert_damage(&m, 0, "ends in the middle of the file header at offset 0");
    m.n = 24;
    pcap_record(&m, 1, 2, 4, 4);
    put_raw(&m, "abcd", 4);
    pcap_record(&m, 1, 2, 262145, 262145);
    assert_damage(&m, 1, "record of 262145 bytes at offset 44");
    m.n -= 16;
    pcap_record(&m, 1, 2, 262144, 262144);
    assert_damage(&m, 1, "ends in the middle of the record at offset 44");
    m.n = 44 + 7;
    assert_damage(&m, 1, "ends in the middle of the record at offset 44");
}

/* sample_ng() is 28 + 32 + 44 bytes of headers, then packets of 44 at 104 and 148 */
static void damage_in_pcapng_is_told_with_its_offset(void **state)
{
    (void)state;
    struct image good = {0}, m;
    sample_ng(&good);
    m = good;
    m.b[8] = 0;
    assert_damage(&m, 0, "section header without byte order at offset 0");
    m = good;
    m.b[12] = 2;
    assert_damage(&m, 0, "section header of an unknown version at offset 0");
    m = good;
    m.n--;
    assert_damage(&m, 1, "ends in the middle of the record at offset 148");
    m = good;
    m.b[148 + 4] = 11;
    assert_damage(&m, 1, "block of 11 bytes at offset 148");
    m = good;
    m.b[148 + 6] = 0xff;
    assert_damage(&m, 1, "block of 16711724 bytes at offset 148");
    m = good;
    m.b[104 + 40]++;
    assert_damage(&m, 0, "block length not repeated at its end, at offset 104");
    m = good;
    m.b[148 + 8] = 2;
    assert_damage(&m, 1, "packet of the undeclared interface 2 at offset 148");
    m = good;
    m.b[148 + 20] = 13;
    assert_damage(&m, 1, "packet of 13 bytes in a block of 44 at offset 148");
    m = good;
    m.b[28 + 18] = 200;
    assert_damage(&m, 0, "interface block with damaged options at offset 28");
    m = good;
    size_t at = block_begin(&m, 0xbad);
    put(&m, 0, 4);
    block_end(&m, at);
    m.b[at + 5] = 1;
    assert_damage(&m, 2, "ends in the middle of the record at offset 192");
}

/* Times that cannot be: the interface is refused, not the arithmetic left to overflow. */
static void absurd_time_units_are_damage(void **state)
{
    (void)state;
    static const struct {
        int resol;
        int64_t offset;
    } units[] = {{19, 0}, {0x7f, 0}, {0xff, 0}, {6, INT64_MAX}, {6, INT64_MIN}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct image m = {0};
        section(&m);
        interface(&m, 1, 0, NULL, units[i].resol, units[i].offset);
        assert_damage(&m, 0, "interface block with damaged options at offset 28");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_orders_and_fractions_of_pcap_are_read),
        cmocka_unit_test(modified_pcap_has_longer_records),
        cmocka_unit_test(the_upper_half_of_the_link_type_is_not_one),
        cmocka_unit_test(interfaces_of_pcapng_have_their_own_unit_and_link_type),
        cmocka_unit_test(time_units_and_offsets),
        cmocka_unit_test(sections_may_differ_in_byte_order),
        cmocka_unit_test(simple_and_obsolete_packet_blocks_are_read),
        cmocka_unit_test(other_blocks_are_passed_over),
        cmocka_unit_test(bytes_may_arrive_one_by_one),
        cmocka_unit_test(damage_is_told_with_its_offset),
        cmocka_unit_test(damage_in_pcapng_is_told_with_its_offset),
        cmocka_unit_test(absurd_time_units_are_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

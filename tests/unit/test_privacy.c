/* Pseudonyms: by the published vectors of Crypto-PAn, in texts, in packets, and their key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/frame.h"
#include "storage/privacy.h"
#include "storage/privacy_cipher.h"
#include "tests/help/facts_make.h"

/* of the sample program that comes with Crypto-PAn 1.0 (Georgia Tech, 2002) */
static const uint8_t key[PRIVACY_KEY] = {21,  34, 23,  141, 51, 164, 207, 128, 19,  10,  91,
                                         22,  73, 144, 125, 16, 216, 152, 143, 131, 121, 121,
                                         101, 39, 98,  87,  76, 45,  42,  132, 34,  2};

static int begin(void **state)
{
    *state = privacy_new(USERS_PSEUDONYM, true, key);
    return *state ? 0 : -1;
}

static int end(void **state)
{
    privacy_free(*state);
    return 0;
}

static void bits_are_those_of_crypto_pan(void **state)
{
    static const char *const pairs[][2] = {
        {"128.11.68.132", "135.242.180.132"},   {"129.118.74.4", "134.136.186.123"},
        {"130.132.252.244", "133.68.164.234"},  {"141.223.7.43", "141.167.8.160"},
        {"141.233.145.108", "141.129.237.235"}, {"152.163.225.39", "151.140.114.167"},
        {"156.29.3.236", "147.225.12.42"},      {"165.247.96.84", "162.9.99.234"},
        {"166.107.77.190", "160.132.178.185"},  {"192.102.249.13", "252.138.62.131"},
    };
    for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct addr a = facts_addr(pairs[i][0]);
        char text[ADDR_TEXT];
        privacy_bits(*state, a.b + 12, 32, 0);
        assert_string_equal(addr_text(&a, text), pairs[i][1]);
    }
}

static struct addr veiled(struct privacy *p, const char *text)
{
    struct addr a = facts_addr(text);
    privacy_addr(p, &a);
    return a;
}

/* How many leading bits of 128 two addresses share. */
static unsigned shared(const struct addr *a, const struct addr *b)
{
    for (unsigned i = 0; i < 128; i++)
        if ((a->b[i / 8] ^ b->b[i / 8]) >> (7 - i % 8) & 1)
            return i;
    return 128;
}

static void internal_addresses_keep_their_block_and_their_neighbours(void **state)
{
    static const struct {
        const char *text;
        unsigned kept; /* bits, of 128 */
    } all[] = {
        {"10.3.0.40", 104},  {"10.3.0.41", 104},
        {"10.3.1.40", 104},  {"172.16.5.1", 108},
        {"172.31.5.1", 108}, {"192.168.1.1", 112},
        {"100.64.0.9", 106}, {"169.254.7.7", 112},
        {"fd12:3456::1", 8}, {"fe80::211:22ff:fe33:4455", 64},
    };
    enum { N = sizeof all / sizeof *all };
    for (unsigned i = 0; i < N; i++) {
        struct addr plain = facts_addr(all[i].text), hidden = veiled(*state, all[i].text);
        assert_false(addr_eq(&plain, &hidden));
        assert_true(shared(&plain, &hidden) >= all[i].kept);
        for (unsigned k = 0; k < N; k++) {
            struct addr other = facts_addr(all[k].text), hidden_too = veiled(*state, all[k].text);
            assert_int_equal(shared(&plain, &other), shared(&hidden, &hidden_too));
        }
    }
}

static void public_addresses_are_kept(void **state)
{
    static const char *const all[] = {"2.2.2.2",     "11.0.0.1",     "172.32.0.1", "172.15.9.9",
                                      "192.169.0.1", "100.128.0.1",  "100.63.0.1", "2001:db8::1",
                                      "fec0::1",     "9.255.255.255"};
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        struct addr plain = facts_addr(all[i]), hidden = veiled(*state, all[i]);
        assert_true(addr_eq(&plain, &hidden));
    }
}

/* A text with %A for the pseudonym of 10.3.0.40, %B of fd00::7, %U of alice@contoso.com's user. */
static const char *with_pseudonyms(struct privacy *p, const char *pattern, const char *user)
{
    static char out[512];
    char a[ADDR_TEXT], b[ADDR_TEXT];
    struct addr va = veiled(p, "10.3.0.40"), vb = veiled(p, "fd00::7");
    addr_text(&va, a);
    addr_text(&vb, b);
    size_t n = 0;
    for (const char *s = pattern; *s; s++) {
        const char *part = NULL;
        if (*s == '%')
            part = s[1] == 'A' ? a : s[1] == 'B' ? b : user;
        if (part) {
            n += (size_t)snprintf(out + n, sizeof out - n, "%s", part);
            s++;
        } else {
            out[n++] = *s;
        }
    }
    out[n] = 0;
    return out;
}

static void addresses_in_texts_are_found(void **state)
{
    static const char *const pairs[][2] = {
        {"10.3.0.40", "%A"},
        {"The relay 2.2.2.2:58138 (seen as 10.3.0.40:58138) sent",
         "The relay 2.2.2.2:58138 (seen as %A:58138) sent"},
        {"came from 10.3.0.40.", "came from %A."},
        {"a 10.3.0.40, b 10.3.0.40; c", "a %A, b %A; c"},
        {"{\"for\":[\"from 10.3.0.40\"]}", "{\"for\":[\"from %A\"]}"},
        {"relay TCP-PASS [fd00::7]:50000", "relay TCP-PASS [%B]:50000"},
        {"fd00::7 and fd00::7:", "%B and %B:"},
        {"hep:10.3.0.40#2001", "hep:%A#2001"},
        {"version 110.3.0.40", "version 110.3.0.40"},
        {"10.3.0.400", "10.3.0.400"},
        {"10.3.0.40.5", "%A.5"},
        {"x10.3.0.40y", "x%Ay"},
        {"call.10.3.0.40", "call.%A"},
        {"v1.10.3.0.40", "v1.%A"},
        {"1.2.3.4.10.3.0.40", "1.2.3.4.%A"},
        {".10.3.0.40.", ".%A."},
        {":x 10.3.0.40", ":x %A"},
        {":", ":"},
        {"at 10:44:05 to 10:44:07 UTC", "at 10:44:05 to 10:44:07 UTC"},
        {"", ""},
    };
    for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *want = with_pseudonyms(*state, pairs[i][1], "");
        assert_string_equal(privacy_text(*state, pairs[i][0]), want);
        assert_string_equal(privacy_id(*state, pairs[i][0]), want);
    }
}

static void a_network_stays_one(void **state)
{
    struct addr a = veiled(*state, "10.3.0.40");
    char want[64];
    snprintf(want, sizeof want, "to %u.%u.%u.0/24", a.b[12], a.b[13], a.b[14]);
    assert_string_equal(privacy_text(*state, "to 10.3.0.0/24"), want);
}

static void users_in_texts_are_found(void **state)
{
    static const char *const pairs[][3] = {
        /* text, as pseudonym, dropped */
        {"sip:alice@contoso.com", "sip:%U@contoso.com", "sip:contoso.com"},
        {"sip:Alice@CONTOSO.com", "sip:%U@CONTOSO.com", "sip:CONTOSO.com"},
        {"sips:alice@contoso.com;opaque=x", "sips:%U@contoso.com;opaque=x",
         "sips:contoso.com;opaque=x"},
        {"alice@contoso.com", "%U@contoso.com", "contoso.com"},
        {"user alice@contoso.com.", "user %U@contoso.com.", "user contoso.com."},
        {"<sip:alice@contoso.com>", "<sip:%U@contoso.com>", "<sip:contoso.com>"},
        {"source=\"edge.contoso.com\"", "source=\"edge.contoso.com\"",
         "source=\"edge.contoso.com\""},
        {"sip:contoso.com", "sip:contoso.com", "sip:contoso.com"},
        {"a @ b", "a @ b", "a @ b"},
    };
    struct privacy *drop = privacy_new(USERS_DROP, true, key);
    char user[64];
    snprintf(user, sizeof user, "%s", privacy_text(*state, "alice@contoso.com"));
    *strchr(user, '@') = 0;
    assert_int_equal(strlen(user), 11);
    assert_null(strstr(user, "alice"));
    for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_string_equal(privacy_text(*state, pairs[i][0]),
                            with_pseudonyms(*state, pairs[i][1], user));
        assert_string_equal(privacy_text(drop, pairs[i][0]), pairs[i][2]);
    }
    assert_string_equal(privacy_text(drop, "tel:+49-30-1234567;x=1"), "tel:-;x=1");
    assert_null(strstr(privacy_text(*state, "tel:+49-30-1234567"), "123"));
    /* all of a user with parameters goes, and another is another */
    assert_null(strstr(privacy_text(*state, "sip:+4930;phone-context=bob.x@contoso.com"), "bob"));
    assert_null(strstr(privacy_text(*state, "sip:bob@contoso.com"), user));
    assert_null(strstr(privacy_text(*state, "sip:alice@fabrikam.com"), user));
    assert_string_equal(privacy_id(*state, "abc@contoso.com"), "abc@contoso.com");
    privacy_free(drop);
}

static void foundations_made_of_addresses_go(void **state)
{
    assert_string_equal(privacy_token(*state, "3"), "3");
    assert_null(strstr(privacy_token(*state, "Hc0a80101"), "c0a80101"));
    assert_null(privacy_token(*state, NULL));
    assert_null(privacy_text(*state, NULL));
}

/* Ethernet, 802.1Q, IPv4, TCP SYN with an MSS option and 5 bytes of data. */
static const uint8_t syn[] = {
    0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0x81, 0x00,
    0x00, 0x07, 0x08, 0x00, 0x45, 0x00, 0x00, 0x31, 0x12, 0x34, 0x40, 0x00, 0x7f, 0x06,
    0x00, 0x00, 10,   3,    0,    40,   1,    1,    1,    1,    0xe3, 0x1a, 0xc6, 0x10,
    0xde, 0xad, 0xbe, 0xef, 0x00, 0x00, 0x00, 0x00, 0x60, 0x02, 0x20, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, 'a',  'l',  'i',  'c',  'e'};

/* Ethernet, IPv4, ICMP 3/13 from 10.3.0.1 quoting that SYN's header. */
static const uint8_t icmp[] = {
    0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0x08, 0x00,
    0x45, 0x00, 0x00, 0x38, 0x00, 0x01, 0x00, 0x00, 0x40, 0x01, 0x00, 0x00, 10,   3,
    0,    1,    10,   3,    0,    40,   3,    13,   0,    0,    0,    0,    0,    0,
    0x45, 0x00, 0x00, 0x31, 0x12, 0x34, 0x40, 0x00, 0x7f, 0x06, 0x00, 0x00, 10,   3,
    0,    40,   1,    1,    1,    1,    0xe3, 0x1a, 0xc6, 0x10, 0xde, 0xad, 0xbe, 0xef};

static void read_back(struct privacy *p, const uint8_t *frame, size_t n, struct packet *out)
{
    static uint8_t anew[PRIVACY_PACKET];
    uint32_t len;
    struct fragment fragment;
    size_t got = privacy_packet(p, 1, slice_of(frame, n), (uint32_t)n, anew, &len);
    assert_in_range(got, 28, PRIVACY_PACKET);
    for (size_t i = 0; i + 4 <= got; i++)
        assert_memory_not_equal(anew + i, "\x0a\x03\x00\x28", 4);
    struct raw_packet raw = {
        .data = anew, .caplen = (uint32_t)got, .len = len, .linktype = PRIVACY_LINKTYPE};
    assert_int_equal(frame_decode(&raw, out, &fragment), FRAME_PACKET);
}

static void a_packet_says_the_same_of_other_addresses(void **state)
{
    struct packet k;
    struct addr relay = veiled(*state, "10.3.0.40"), router = veiled(*state, "10.3.0.1"),
                peer = facts_addr("1.1.1.1");
    read_back(*state, syn, sizeof syn, &k);
    assert_true(addr_eq(&k.src.addr, &relay) && addr_eq(&k.dst.addr, &peer));
    assert_int_equal(k.src.port, 0xe31a);
    assert_int_equal(k.dst.port, 0xc610);
    assert_int_equal(k.seq, 0xdeadbeef);
    assert_int_equal(k.flags, TCP_SYN);
    assert_int_equal(k.ttl, 127);
    assert_int_equal(k.ip_id, 0x1234);
    assert_int_equal(k.tcp_options.n, 4);
    assert_int_equal(k.payload_len, 5);
    assert_int_equal(k.payload.n, 0);
    read_back(*state, icmp, sizeof icmp, &k);
    assert_true(addr_eq(&k.src.addr, &router) && addr_eq(&k.dst.addr, &relay));
    assert_int_equal(k.icmp_type, 3);
    assert_int_equal(k.icmp_code, 13);
    assert_true(k.quoted.valid);
    assert_true(addr_eq(&k.quoted.src.addr, &relay) && addr_eq(&k.quoted.dst.addr, &peer));
    assert_int_equal(k.quoted.seq, 0xdeadbeef);
    assert_int_equal(k.quoted.dst.port, 0xc610);
}

static void any_cut_of_a_packet_gives_a_packet_or_nothing(void **state)
{
    uint8_t out[PRIVACY_PACKET];
    uint32_t len;
    for (size_t n = 0; n <= sizeof icmp; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, icmp, n);
        assert_true(privacy_packet(*state, 1, slice_of(exact, n), sizeof icmp, out, &len) <=
                    PRIVACY_PACKET);
        free(exact);
    }
}

static void the_key_is_made_once_and_for_its_owner(void **state)
{
    const char *db = facts_db_path();
    char path[160], why[256] = "";
    struct privacy *a, *b;
    struct stat st;
    struct privacy_config c = {.users = USERS_PSEUDONYM, .addresses = true};
    (void)state;
    snprintf(path, sizeof path, "%s.key", db);
    assert_int_equal(privacy_open(&c, db, &a, why, sizeof why), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(privacy_open(&c, db, &b, why, sizeof why), 0);
    char first[64];
    snprintf(first, sizeof first, "%s", privacy_text(a, "sip:alice@10.1.2.3"));
    assert_string_equal(first, privacy_text(b, "sip:alice@10.1.2.3"));
    assert_null(strstr(first, "10.1.2.3"));
    privacy_free(a);
    privacy_free(b);
    chmod(path, 0644);
    assert_int_equal(privacy_open(&c, db, &a, why, sizeof why), -1);
    assert_non_null(strstr(why, path));
    FILE *f = fopen(path, "w");
    fputs("not a key\n", f);
    fclose(f);
    assert_int_equal(privacy_open(&c, db, &a, why, sizeof why), -1);
    assert_non_null(strstr(why, "64 hexadecimal digits"));
    c.key_file = "/nowhere/key";
    assert_int_equal(privacy_open(&c, db, &a, why, sizeof why), -1);
    assert_non_null(strstr(why, "/nowhere/key"));
    c = (struct privacy_config){0};
    assert_int_equal(privacy_open(&c, db, &a, why, sizeof why), 0);
    assert_null(a);
    unlink(path);
    facts_db_forget();
}

int main(void)
{
#define KEYED(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        KEYED(bits_are_those_of_crypto_pan),
        KEYED(internal_addresses_keep_their_block_and_their_neighbours),
        KEYED(public_addresses_are_kept),
        KEYED(addresses_in_texts_are_found),
        KEYED(a_network_stays_one),
        KEYED(users_in_texts_are_found),
        KEYED(foundations_made_of_addresses_go),
        KEYED(a_packet_says_the_same_of_other_addresses),
        KEYED(any_cut_of_a_packet_gives_a_packet_or_nothing),
        cmocka_unit_test(the_key_is_made_once_and_for_its_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

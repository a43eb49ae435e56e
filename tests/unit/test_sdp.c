/* SDP bodies: the field report, RFC 4566, 8839, 8840, the two Lync dialects, damage and size. */
#include "flows/wire/sdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/help/text.h"

static struct sdp sdp; /* as large as the header warns */

/* First field report: the offer */
static const char lync_offer[] =
    "v=0\r\n"
    "o=- 0 0 IN IP4 2.2.2.2\r\n"
    "s=session\r\n"
    "c=IN IP4 2.2.2.2\r\n"
    "b=CT:99980\r\n"
    "t=0 0\r\n"
    "m=applicationsharing 58138 TCP/RTP/AVP 127\r\n"
    "a=ice-ufrag:PFb1\r\n"
    "a=candidate:1 1 TCP-PASS 2120613887 10.98.2.1 21916 typ host \r\n"
    "a=candidate:1 2 TCP-PASS 2120613374 10.98.2.1 21916 typ host \r\n"
    "a=candidate:2 1 TCP-ACT 2121006591 10.98.2.1 18574 typ host \r\n"
    "a=candidate:2 2 TCP-ACT 2121006078 10.98.2.1 18574 typ host \r\n"
    "a=candidate:3 1 TCP-PASS 6556159 2.2.2.2 58138 typ relay raddr 10.98.2.1 rport 13211 \r\n"
    "a=candidate:3 2 TCP-PASS 6556158 2.2.2.2 58138 typ relay raddr 10.98.2.1 rport 13211 \r\n"
    "a=rtpmap:127 x-data/90000\r\n";

/* Shape of an audio and video offer of Lync: UDP beside TCP-ACT, both levels used */
static const char lync_av[] =
    "v=0\n"
    "o=- 0 0 IN IP6 2001:db8::9\n"
    "c=IN IP4 198.51.100.1/127\n"
    "a=ice-ufrag:sess\n"
    "m=audio 50010 RTP/SAVP 114 9\n"
    "a=ice-ufrag:k3Tz\n"
    "a=ice-pwd:0aB1cD2eF3gH4iJ5kL6mN7oP\n"
    "a=label:main-audio\n"
    "a=mid:1\n"
    "a=candidate:1 1 UDP 2130706431 10.20.1.9 50010 typ host \n"
    "a=candidate:1 2 UDP 2130705918 10.20.1.9 50011 typ host \n"
    "a=x-candidate-ipv6:2 1 UDP 33553407 2001:0:5ef5:79fd::1 50010 typ host \n"
    "a=candidate:3 1 TCP-ACT 1684797951 203.0.113.20 51234 typ srflx raddr 10.20.1.9 rport 50047 \n"
    "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:secret|2^31|1:1\n"
    "a=rtcp:50011 IN IP4 198.51.100.1\n"
    "m=video 0 TCP/RTP/AVP 121\n"
    "c=IN IP6 2001:db8::7\n"
    "a=label:applicationsharing-video  \n"
    "a=candidate:1 1 UDP 2130706431 10.20.1.9 50020 typ host \n"
    "a=candidate:2 1 TCP 2105458943 10.20.1.9 9 typ host tcptype active\n"
    "a=remote-candidates:1 192.0.2.7 3480 2 192.0.2.7 3481\n";

static void parse(const char *body)
{
    struct slice in = text_on_guard(body);
    struct wire_fault fault = {0};
    /* damaged on purpose: whatever was there must not show through */
    memset(&sdp, 0xa5, sizeof sdp);
    if (sdp_parse(in, &sdp, &fault) != WIRE_OK)
        fail_msg("%s", fault.reason);
    text_free(in);
}

static const char *address(const struct addr *a)
{
    static char text[ADDR_TEXT];
    return addr_text(a, text);
}

/* Slices die with their input: texts are compared while it lives. */
static void the_offer_of_the_field_report(void **state)
{
    (void)state;
    struct slice in = text_on_guard(lync_offer);
    assert_int_equal(sdp_parse(in, &sdp, NULL), WIRE_OK);
    assert_string_equal(address(&sdp.origin), "2.2.2.2");
    assert_int_equal(sdp.n_media, 1);
    const struct sdp_media *m = &sdp.media[0];
    assert_text(m->kind, "applicationsharing");
    assert_int_equal(m->port, 58138);
    assert_text(m->proto, "TCP/RTP/AVP");
    assert_true(m->tcp);
    assert_text(m->ufrag, "PFb1");
    assert_string_equal(address(&m->conn), "2.2.2.2");
    assert_int_equal(m->first_candidate, 0);
    assert_int_equal(m->n_candidates, 6);
    assert_int_equal(sdp.n_candidates, 6);
    assert_false(m->remote_candidates);
    assert_int_equal(sdp.bad_candidates, 0);
    const struct candidate *k = &sdp.candidates[5];
    assert_int_equal(k->transport, CAND_TCP_PASS);
    assert_int_equal(k->type, CAND_RELAY);
    assert_int_equal(k->at.port, 58138);
    assert_int_equal(k->related.port, 13211);
    text_free(in);
}

static void media_and_session_level(void **state)
{
    (void)state;
    struct slice in = text_on_guard(lync_av);
    assert_int_equal(sdp_parse(in, &sdp, NULL), WIRE_OK);
    assert_string_equal(address(&sdp.origin), "2001:db8::9");
    assert_int_equal(sdp.n_media, 2);

    const struct sdp_media *m = &sdp.media[0];
    assert_text(m->kind, "audio");
    assert_false(m->tcp);
    assert_text(m->ufrag, "k3Tz");
    assert_text(m->label, "main-audio");
    assert_text(m->mid, "1");
    assert_string_equal(address(&m->conn), "198.51.100.1");
    assert_true(m->crypto);
    assert_int_equal(m->rtcp_port, 50011);
    assert_int_equal(m->n_candidates, 4);
    assert_false(m->remote_candidates);

    m = &sdp.media[1];
    assert_text(m->kind, "video");
    assert_int_equal(m->port, 0);
    assert_true(m->tcp);
    assert_text(m->ufrag, "sess");
    assert_text(m->label, "applicationsharing-video");
    assert_string_equal(address(&m->conn), "2001:db8::7");
    assert_false(m->crypto);
    assert_int_equal(m->rtcp_port, 0);
    assert_int_equal(m->first_candidate, 4);
    assert_int_equal(m->n_candidates, 2);
    assert_true(m->remote_candidates);
    assert_string_equal(address(&m->remote1.addr), "192.0.2.7");
    assert_int_equal(m->remote1.port, 3480);
    text_free(in);
}

static void udp_lines_beside_ms_lines_are_ms_lines(void **state)
{
    (void)state;
    parse(lync_av);
    assert_int_equal(sdp.candidates[0].dialect, DIALECT_MS_ICE2);
    assert_int_equal(sdp.candidates[3].dialect, DIALECT_MS_ICE2);
    assert_int_equal(sdp.candidates[4].dialect, DIALECT_RFC5245); /* other medium */
    assert_int_equal(sdp.candidates[5].dialect, DIALECT_RFC6544);
}

static void ms_priority_spacing_betrays_the_dialect(void **state)
{
    (void)state;
    parse("m=audio 1 RTP/AVP 0\n"
          "a=candidate:1 1 UDP 2130706431 10.20.1.9 50010 typ host\n"
          "a=candidate:1 2 UDP 2130705918 10.20.1.9 50011 typ host\n");
    assert_int_equal(sdp.candidates[0].dialect, DIALECT_MS_ICE2);
    assert_int_equal(sdp.candidates[1].dialect, DIALECT_MS_ICE2);
    parse("m=audio 1 RTP/AVP 0\n"
          "a=candidate:1 1 UDP 2130706431 10.20.1.9 50010 typ host\n"
          "a=candidate:1 2 UDP 2130706430 10.20.1.9 50011 typ host\n");
    assert_int_equal(sdp.candidates[0].dialect, DIALECT_RFC5245);
}

static void the_legacy_dialect_concludes_with_a_user_name(void **state)
{
    (void)state;
    parse("v=0\r\nm=audio 50000 RTP/AVP 0\r\n"
          "a=candidate:kQ3vX0b1c2D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ123 1 a1B2c3D4e5F6g7H8i9J0kL UDP "
          "0.830 "
          "10.1.1.1 50000 \r\n"
          "a=candidate:kQ3vX0b1c2D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ123 2 a1B2c3D4e5F6g7H8i9J0kL UDP "
          "0.830 "
          "10.1.1.1 50001 \r\n"
          "a=remote-candidate:kQ3vX0b1c2D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ123\r\n");
    assert_int_equal(sdp.media[0].n_candidates, 2);
    assert_int_equal(sdp.candidates[1].dialect, DIALECT_MS_ICE);
    assert_true(sdp.media[0].remote_candidates);
    assert_true(endpoint_none(&sdp.media[0].remote1));
}

static void ice_attributes(void **state)
{
    (void)state;
    parse("v=0\r\na=ice-lite\r\na=ice-options:ice2 trickle\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
          "c=IN IP4 0.0.0.0\r\na=end-of-candidates\r\nm=video 9 x\r\n");
    assert_true(sdp.ice_lite);
    assert_true(sdp.trickle);
    assert_true(addr_none(&sdp.media[0].conn));
    assert_true(sdp.media[0].end_of_candidates);
    assert_false(sdp.media[1].end_of_candidates);
    parse("v=0\na=ice-options:trickled\n");
    assert_false(sdp.trickle);
    assert_false(sdp.ice_lite);
    assert_int_equal(sdp.n_media, 0);
}

/* RFC 8840 §9: with m= lines, and as browsers' gateways send them, without */
static void trickled_fragments(void **state)
{
    (void)state;
    struct slice in =
        text_on_guard("a=ice-ufrag:8hhY\r\na=ice-pwd:x\r\nm=audio 9 RTP/AVP 0\r\na=mid:1\r\n"
                      "a=candidate:2 1 UDP 1658497328 198.51.100.33 5000 typ host\r\n"
                      "a=end-of-candidates\r\nm=audio 9 RTP/AVP 0\r\na=mid:2\r\n");
    assert_int_equal(sdp_parse(in, &sdp, NULL), WIRE_OK);
    assert_int_equal(sdp.n_media, 2);
    assert_text(sdp.media[0].ufrag, "8hhY");
    assert_text(sdp.media[1].mid, "2");
    assert_int_equal(sdp.media[0].n_candidates, 1);
    assert_true(sdp.media[0].end_of_candidates);
    text_free(in);

    in = text_on_guard("a=mid:a\na=ice-ufrag:one\na=candidate:2 1 UDP 1 192.0.2.1 5000 typ host\n"
                       "a=mid:b\na=candidate:2 1 UDP 1 192.0.2.1 5001 typ host\n");
    assert_int_equal(sdp_parse(in, &sdp, NULL), WIRE_OK);
    assert_int_equal(sdp.n_media, 2);
    assert_text(sdp.media[0].kind, "");
    assert_text(sdp.media[0].mid, "a");
    assert_text(sdp.media[0].ufrag, "one");
    assert_text(sdp.media[1].mid, "b");
    assert_int_equal(sdp.media[1].first_candidate, 1);
    assert_int_equal(sdp.media[1].n_candidates, 1);
    text_free(in);

    parse("a=candidate:2 1 UDP 1 192.0.2.1 5000 typ host");
    assert_int_equal(sdp.n_media, 1);
    assert_int_equal(sdp.media[0].n_candidates, 1);
    parse("a=end-of-candidates\r\n");
    assert_int_equal(sdp.n_media, 1);
    assert_true(sdp.media[0].end_of_candidates);
}

static void media_lines_with_missing_or_odd_fields(void **state)
{
    static const struct {
        const char *line, *kind, *proto;
        uint16_t port;
    } cases[] = {
        {"m=", "", "", 0},
        {"m=audio", "audio", "", 0},
        {"m=audio 5004", "audio", "", 5004},
        {"m=audio 49170/2 RTP/AVP 31", "audio", "RTP/AVP", 49170},
        {"m=audio 65536 RTP/AVP", "audio", "RTP/AVP", 0},
        {"m=audio x RTP/AVP", "audio", "RTP/AVP", 0},
        {"m= audio  5004  tcp/x  1 ", "audio", "tcp/x", 5004},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice in = text_on_guard(cases[i].line);
        assert_int_equal(sdp_parse(in, &sdp, NULL), WIRE_OK);
        assert_int_equal(sdp.n_media, 1);
        assert_text(sdp.media[0].kind, cases[i].kind);
        assert_text(sdp.media[0].proto, cases[i].proto);
        assert_int_equal(sdp.media[0].port, cases[i].port);
        assert_true(addr_none(&sdp.media[0].conn));
        text_free(in);
    }
}

/* RFC 4566 says one space; what gets it wrong is read all the same. */
static void any_white_space_parts_words(void **state)
{
    (void)state;
    parse("v=0\no=-\t0 0\tIN  IP4 192.0.2.1\nc=IN\tIP4\t192.0.2.2\nm=audio\t5004\tRTP/AVP 0\n"
          "a=candidate:1\t1 UDP  2130706431\t192.0.2.3 5006\ttyp\thost\t\n"
          "a=candidate:2 1 UDP 2130706431 192.0.2.4 5008 typ relay raddr\t192.0.2.5  rport\t7\n");
    assert_string_equal(address(&sdp.origin), "192.0.2.1");
    assert_string_equal(address(&sdp.media[0].conn), "192.0.2.2");
    assert_int_equal(sdp.media[0].port, 5004);
    assert_int_equal(sdp.n_candidates, 2);
    assert_string_equal(address(&sdp.candidates[0].at.addr), "192.0.2.3");
    assert_int_equal(sdp.candidates[0].at.port, 5006);
    assert_int_equal(sdp.candidates[0].type, CAND_HOST);
    assert_string_equal(address(&sdp.candidates[1].related.addr), "192.0.2.5");
    assert_int_equal(sdp.candidates[1].related.port, 7);
}

/* A line ends where it ends, whatever its words want from the next one. */
static void no_word_is_taken_from_the_next_line(void **state)
{
    (void)state;
    parse("m=audio 5004 RTP/AVP 0\na=candidate:1 1 UDP 1 192.0.2.3 5006 typ\nhost \n"
          "a=candidate:2 1 UDP 1 192.0.2.3\n5006 typ host\n"
          "a=candidate:3 1 UDP 1 192.0.2.3 5006 typ relay raddr \n192.0.2.5 rport 7\n"
          "a=candidate:4 1 UDP 1 192.0.2.3 5007 typ host");
    assert_int_equal(sdp.bad_candidates, 1);
    assert_int_equal(sdp.n_candidates, 3);
    assert_int_equal(sdp.candidates[0].type, CAND_RELAY); /* by its priority */
    assert_true(endpoint_none(&sdp.candidates[1].related));
    assert_int_equal(sdp.candidates[2].at.port, 5007);
}

static void all_line_ends(void **state)
{
    static const char *const bodies[] = {
        "v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 7 RTP/AVP 0\r\na=candidate:1 1 UDP 1 1.2.3.4 5 typ "
        "host\r\n",
        "v=0\nc=IN IP4 1.2.3.4\nm=audio 7 RTP/AVP 0\na=candidate:1 1 UDP 1 1.2.3.4 5 typ host",
        "v=0\rc=IN IP4 1.2.3.4\rm=audio 7 RTP/AVP 0\ra=candidate:1 1 UDP 1 1.2.3.4 5 typ host\r",
        "\n\njunk\nv=0 \n\nc=IN IP4 1.2.3.4 \nm=audio 7 RTP/AVP 0 \n?\na=candidate:1 1 UDP 1 "
        "1.2.3.4 5 ",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        parse(bodies[i]);
        assert_int_equal(sdp.n_media, 1);
        assert_int_equal(sdp.media[0].port, 7);
        assert_string_equal(address(&sdp.media[0].conn), "1.2.3.4");
        assert_int_equal(sdp.n_candidates, 1);
    }
}

static void damaged_candidates_are_counted(void **state)
{
    (void)state;
    parse("m=audio 1 RTP/AVP 0\na=candidate:\na=candidate\na=candidate:1 1 UDP 1 1.2.3.4 99999 typ "
          "host\n"
          "a=candidate:1 1 UDP 1 1.2.3.4 9 typ host\n");
    assert_int_equal(sdp.bad_candidates, 3);
    assert_int_equal(sdp.n_candidates, 1);
    assert_int_equal(sdp.media[0].n_candidates, 1);
}

static void too_many_candidates_and_media_are_counted(void **state)
{
    static char body[5200 * 64];
    size_t n = (size_t)sprintf(body, "m=audio 1 RTP/AVP 0\r\n");
    (void)state;
    for (int i = 0; i < 5000; i++)
        n += (size_t)sprintf(body + n, "a=candidate:%d 1 UDP 1 1.2.3.4 %d typ host\r\n", i, i + 1);
    for (int i = 1; i < 15; i++)
        n += (size_t)sprintf(body + n, "m=video %d x\r\na=ice-ufrag:%d\r\n", i, i);
    parse(body);
    assert_int_equal(sdp.n_candidates, SDP_MAX_CANDIDATES);
    assert_int_equal(sdp.media[0].n_candidates, SDP_MAX_CANDIDATES);
    assert_int_equal(sdp.dropped_candidates, 5000 - SDP_MAX_CANDIDATES);
    assert_int_equal(sdp.candidates[255].at.port, 256);
    assert_int_equal(sdp.n_media, SDP_MAX_MEDIA);
    assert_int_equal(sdp.dropped_media, 3);
    assert_int_equal(sdp.media[SDP_MAX_MEDIA - 1].port, 11);
}

static void what_is_no_sdp_is_refused_and_leaves_the_output_alone(void **state)
{
    static const char *const bodies[] = {"",        "\r\n",        "<xml>\r\n</xml>\r\n",
                                         "V=0\r\n", "hello=there", "="};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct slice in = text_on_guard(bodies[i]);
        struct wire_fault fault = {0};
        sdp.n_media = 99;
        assert_int_equal(sdp_parse(in, &sdp, &fault), WIRE_BAD);
        assert_string_equal(fault.reason, "no SDP line");
        assert_int_equal(sdp.n_media, 99);
        text_free(in);
    }
}

static void a_body_cut_anywhere_loses_only_its_end(void **state)
{
    static const char *const bodies[] = {lync_offer, lync_av};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        for (size_t n = 3; n < strlen(bodies[i]); n++) {
            struct slice in = text_cut(bodies[i], n);
            assert_int_equal(sdp_parse(in, &sdp, NULL), WIRE_OK);
            unsigned total = 0;
            for (unsigned m = 0; m < sdp.n_media; m++) {
                assert_int_equal(sdp.media[m].first_candidate, total);
                total += sdp.media[m].n_candidates;
            }
            assert_int_equal(total, sdp.n_candidates);
            assert_in_range(sdp.bad_candidates, 0, 1);
            text_free(in);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_offer_of_the_field_report),
        cmocka_unit_test(media_and_session_level),
        cmocka_unit_test(udp_lines_beside_ms_lines_are_ms_lines),
        cmocka_unit_test(ms_priority_spacing_betrays_the_dialect),
        cmocka_unit_test(the_legacy_dialect_concludes_with_a_user_name),
        cmocka_unit_test(ice_attributes),
        cmocka_unit_test(trickled_fragments),
        cmocka_unit_test(media_lines_with_missing_or_odd_fields),
        cmocka_unit_test(any_white_space_parts_words),
        cmocka_unit_test(no_word_is_taken_from_the_next_line),
        cmocka_unit_test(all_line_ends),
        cmocka_unit_test(damaged_candidates_are_counted),
        cmocka_unit_test(too_many_candidates_and_media_are_counted),
        cmocka_unit_test(what_is_no_sdp_is_refused_and_leaves_the_output_alone),
        cmocka_unit_test(a_body_cut_anywhere_loses_only_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

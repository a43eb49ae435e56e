/* Multipart bodies of SIP messages: RFC 2046 §5.1 and the shapes that Lync sends. */
#include "flows/wire/sip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/help/text.h"

struct part {
    const char *type, *disposition, *body;
};

static void expect(const char *type, const char *body, const struct part *parts, size_t n)
{
    struct slice t = text_on_guard(type), b = text_on_guard(body);
    struct slice got_type, got_disposition, got_body;
    struct mime_walk w;
    mime_start(&w, t, b);
    for (size_t i = 0; i < n; i++) {
        assert_true(mime_next(&w, &got_type, &got_disposition, &got_body));
        assert_text(got_type, parts[i].type);
        assert_text(got_disposition, parts[i].disposition);
        assert_text(got_body, parts[i].body);
    }
    assert_false(mime_next(&w, &got_type, &got_disposition, &got_body));
    assert_false(mime_next(&w, &got_type, &got_disposition, &got_body));
    text_free(t);
    text_free(b);
}

static void a_plain_body_is_one_part(void **state)
{
    static const struct part parts[] = {{"application/sdp", "", "v=0\r\n"}};
    (void)state;
    expect("application/sdp", "v=0\r\n", parts, 1);
    expect("application/sdp", "", NULL, 0);
}

/* The two SDP parts of a Lync audio INVITE (P§2.1) */
static void lync_alternatives_tell_the_fallback_by_its_disposition(void **state)
{
    static const struct part parts[] = {
        {"application/sdp", "session; handling=optional; ms-proxy-2007fallback",
         "v=0\r\no=old\r\n"},
        {"application/sdp", "", "v=0\r\no=new\r\n"},
    };
    (void)state;
    expect("multipart/alternative;boundary=\"----=_NextPart_000_0A1B_01CD.2E\"",
           "------=_NextPart_000_0A1B_01CD.2E\r\n"
           "Content-Type: application/sdp\r\n"
           "Content-Transfer-Encoding: 7bit\r\n"
           "Content-Disposition: session; handling=optional; ms-proxy-2007fallback\r\n"
           "\r\n"
           "v=0\r\no=old\r\n"
           "\r\n------=_NextPart_000_0A1B_01CD.2E\r\n"
           "Content-Type: application/sdp\r\n"
           "\r\n"
           "v=0\r\no=new\r\n"
           "\r\n------=_NextPart_000_0A1B_01CD.2E--\r\n",
           parts, 2);
}

static void preamble_and_epilogue_are_no_parts(void **state)
{
    static const struct part parts[] = {{"text/plain", "", "one"}, {"", "", "two"}};
    (void)state;
    expect("Multipart/Mixed ; Boundary=b ; x=y",
           "preamble\n--bb\n\nno part\n--b \nContent-Type: "
           "text/plain\n\none\n--b\n\ntwo\n--b--\nepilogue\n--b\n\nno",
           parts, 2);
}

static void the_last_boundary_may_be_missing(void **state)
{
    static const struct part parts[] = {{"a/b", "", "one\r\n--x"}, {"c/d", "", "two\r\n"}};
    (void)state;
    expect(
        "multipart/mixed;boundary=xyz",
        "--xyz\r\nContent-Type: a/b\r\n\r\none\r\n--x\r\n--xyz\r\nContent-Type: c/d\r\n\r\ntwo\r\n",
        parts, 2);
    expect("multipart/mixed;boundary=xyz", "--xyz\r\nContent-Type: a/b\r\n\r\none\r\n--x\r\n--xyz",
           parts, 1);
}

static void one_level_inside_another(void **state)
{
    static const struct part parts[] = {
        {"application/xml", "", "<x/>"},
        {"application/sdp", "session", "old"},
        {"application/sdp", "", "new"},
        {"text/plain", "", "after"},
    };
    (void)state;
    expect("multipart/mixed;boundary=out",
           "--out\r\nContent-Type: application/xml\r\n\r\n<x/>\r\n"
           "--out\r\nContent-Type: multipart/alternative; boundary=\"outer\"\r\n\r\n"
           "--outer\r\nContent-Type: application/sdp\r\nContent-Disposition: session\r\n\r\nold\r\n"
           "--outer\r\nContent-Type: application/sdp\r\n\r\nnew\r\n"
           "--outer--\r\n"
           "--out\r\nContent-Type: text/plain\r\n\r\nafter\r\n"
           "--out--\r\n",
           parts, 4);
}

static void an_inner_level_without_end_does_not_swallow_the_outer(void **state)
{
    static const struct part parts[] = {{"", "", "deep"}, {"", "", "after"}};
    (void)state;
    expect("multipart/mixed;boundary=o",
           "--o\nContent-Type: multipart/mixed;boundary=i\n\n--i\n\ndeep\n--o\n\nafter\n--o--",
           parts, 2);
}

static void a_third_level_is_handed_out_whole(void **state)
{
    static const struct part parts[] = {{"multipart/mixed;boundary=c", "", "--c\n\nx\n--c--"}};
    (void)state;
    expect("multipart/mixed;boundary=a",
           "--a\nContent-Type: multipart/mixed;boundary=b\n\n"
           "--b\nContent-Type: multipart/mixed;boundary=c\n\n--c\n\nx\n--c--\n--b--\n--a--",
           parts, 1);
}

static void a_multipart_body_without_its_boundary_has_no_parts(void **state)
{
    (void)state;
    expect("multipart/mixed;boundary=a", "v=0\r\n", NULL, 0);
    expect("multipart/mixed;boundary=a", "", NULL, 0);
    expect("multipart/mixed;boundary=a", "--a--\r\n", NULL, 0);
}

static void a_multipart_type_without_boundary_is_one_part(void **state)
{
    static const struct part parts[] = {{"multipart/mixed", "", "--a\n\nx"}};
    (void)state;
    expect("multipart/mixed", "--a\n\nx", parts, 1);
}

static void every_cut_ends(void **state)
{
    static const char body[] =
        "--o\r\nContent-Type: "
        "multipart/mixed;boundary=\"i\"\r\n\r\n--i\r\n\r\ndeep\r\n--i--\r\n--o\r\n"
        "Content-Type: text/plain\r\n\r\nlast\r\n--o--\r\n";
    struct slice type, disposition, part;
    struct mime_walk w;
    (void)state;
    for (size_t n = 0; n < sizeof body; n++) {
        struct slice in = text_cut(body, n);
        unsigned parts = 0;
        mime_start(&w, slice_str("multipart/mixed;boundary=o"), in);
        while (mime_next(&w, &type, &disposition, &part))
            parts++;
        assert_in_range(parts, 0, 2);
        text_free(in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_body_is_one_part),
        cmocka_unit_test(lync_alternatives_tell_the_fallback_by_its_disposition),
        cmocka_unit_test(preamble_and_epilogue_are_no_parts),
        cmocka_unit_test(the_last_boundary_may_be_missing),
        cmocka_unit_test(one_level_inside_another),
        cmocka_unit_test(an_inner_level_without_end_does_not_swallow_the_outer),
        cmocka_unit_test(a_third_level_is_handed_out_whole),
        cmocka_unit_test(a_multipart_body_without_its_boundary_has_no_parts),
        cmocka_unit_test(a_multipart_type_without_boundary_is_one_part),
        cmocka_unit_test(every_cut_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Text as parser input in front of the guard page, and slices compared with text.
 */
#ifndef EW_TESTS_HELP_TEXT_H
#define EW_TESTS_HELP_TEXT_H

#include "tests/help/guard.h"

/* Guarded copy of a text (or of its first n bytes); give it back with text_free. */
static inline struct slice text_cut(const char *text, size_t n)
{
    return slice_of(guard_copy(text, n), n);
}

static inline struct slice text_on_guard(const char *text)
{
    return text_cut(text, strlen(text));
}

static inline void text_free(struct slice s)
{
    guard_free((uint8_t *)(uintptr_t)s.p, s.n);
}

/* The slice holds exactly this text. Needs cmocka.h. */
#define assert_text(got, want)                                                                \
    do {                                                                                      \
        struct slice got_ = (got), want_ = slice_str(want);                                   \
        if (!slice_eq(got_, want_))                                                           \
            fail_msg("got \"%.*s\", want \"%s\"", (int)got_.n, (const char *)got_.p, (want)); \
    } while (0)

#endif

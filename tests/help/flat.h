/*
 * Wrapped text compared without its line breaks.
 */
#ifndef EW_TESTS_HELP_FLAT_H
#define EW_TESTS_HELP_FLAT_H

#include <stdbool.h>
#include <string.h>

/* Does text contain these words, wherever its lines are broken and however far they are indented? A
 * blank in words stands for any number of blanks and line ends. */
static inline bool flat_has(const char *text, const char *words)
{
    for (; *text; text++) {
        const char *t = text, *w = words;
        while (*w && *t && (*w == ' ' ? strchr(" \n", *t) != NULL : *w == *t)) {
            t += *w == ' ' ? strspn(t, " \n") : 1;
            w++;
        }
        if (!*w)
            return true;
    }
    return !*words;
}

#endif

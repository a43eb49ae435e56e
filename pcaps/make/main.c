/*
 * Builds every sample capture and the INDEX that says what each must show.
 * usage: make-samples DIR
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pcaps/make/samples.h"

static const struct sample *const groups[] = {
    samples_incidents,
};

static const char index_head[] =
    "# What the sample captures show. Written by pcaps/make (make samples), not by hand.\n"
    "#\n"
    "# case     one story; everything up to the next empty line belongs to it\n"
    "# files    read together, in any order\n"
    "# args     options needed to see it, if any\n"
    "# shows    the story in words\n"
    "# expect   one row of `failures` (with --all): leg verdict severity src dst grade "
    "confidence;\n"
    "#          - is NULL. No expect line: no failure of any severity.\n"
    "# finding  codes that must be among the findings\n"
    "# absent   codes that must not be\n";

/* Text wrapped at 100 columns behind a key. */
static void put_wrapped(FILE *out, const char *key, const char *text)
{
    enum { WIDTH = 100 };
    int column = fprintf(out, "%-8s", key);
    for (size_t word; *text; text += word + (text[word] == ' ')) {
        word = strcspn(text, " ");
        if (column + 1 + (int)word > WIDTH)
            column = fprintf(out, "\n%-8s", "") - 1;
        column += fprintf(out, " %.*s", (int)word, text);
    }
    fputc('\n', out);
}

static void put_lines(FILE *out, const char *key, const char *lines)
{
    for (size_t n; lines && *lines; lines += n + (lines[n] == '\n')) {
        n = strcspn(lines, "\n");
        fprintf(out, "%-9s%.*s\n", key, (int)n, lines);
    }
}

static void put_case(FILE *out, const struct sample *s)
{
    fprintf(out, "\n");
    put_lines(out, "case", s->name);
    put_lines(out, "files", s->files);
    put_lines(out, "args", s->args);
    put_wrapped(out, "shows", s->shows);
    put_lines(out, "expect", s->expect);
    put_lines(out, "finding", s->finding);
    put_lines(out, "absent", s->absent);
}

static int build_all(const char *dir, FILE *index)
{
    fputs(index_head, index);
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (const struct sample *s = groups[g]; s->name; s++) {
            put_case(index, s);
            if (s->build && s->build(dir)) {
                perror(s->name);
                return -1;
            }
        }
    return ferror(index) ? -1 : 0;
}

int main(int argc, char **argv)
{
    char path[4096];
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIR\n", argv[0]);
        return 64;
    }
    snprintf(path, sizeof path, "%s/INDEX", argv[1]);
    FILE *index = fopen(path, "w");
    if (!index) {
        perror(path);
        return 73;
    }
    int bad = build_all(argv[1], index);
    if (fclose(index))
        bad = -1;
    return bad ? 73 : 0;
}

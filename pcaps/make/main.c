/*
 * Builds every sample capture and the INDEX that says what each must show.
 * usage: make-samples DIR
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pcaps/make/samples.h"
#include "pcaps/make/scene.h"

static const struct sample *const groups[] = {
    samples_incidents, samples_verdicts,  samples_client_leg,
    samples_rfc,       samples_negatives, samples_findings,
};

static const char index_head[] =
    "# What the sample captures show. Written by pcaps/make (make samples), not by hand.\n"
    "#\n"
    "# case     one story; everything up to the next empty line belongs to it\n"
    "# story    N, for its addresses: client 10.N.2.1, front end 10.N.10.1 (SIP in clear on "
    "5060),\n"
    "#          Edge 10.N.0.34:443 inside, 10.N.0.40 outside = 203.0.113.N in public,\n"
    "#          router 10.N.0.1, far relay 198.51.100.N:50704, far client 192.168.N.50:50058;\n"
    "#          further calls count up the client, the far side and the ports\n"
    "# logs     the same for SIP logs: what tests/golden/import.sh expects of them stands there\n"
    "# files    read together, in any order\n"
    "# args     options needed to see it, if any\n"
    "# shows    the story in words\n"
    "# expect   one row of `failures` (with --all): leg verdict severity src dst grade "
    "confidence;\n"
    "#          - is NULL, * is anything. No expect line: no failure of any severity.\n"
    "# finding  codes that must be among the findings\n"
    "# absent   codes that must not follow from the failures together (scope window), nor be more\n"
    "#          than possible for a single one\n";

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

/* $relay1 becomes the address it stands for. */
static void put_expectations(FILE *out, const struct sample *s)
{
    bool start = true;
    for (const char *p = s->expect; p && *p; p++) {
        fputs(start ? "expect   " : "", out);
        start = *p == '\n';
        if (*p != '$') {
            fputc(*p, out);
            continue;
        }
        char what[16] = "", ip[16];
        size_t n = strspn(++p, "abcdefghijklmnopqrstuvwxyz");
        memcpy(what, p, n);
        struct endpoint4 e = scene_endpoint(s->number, what, p[n] - '0');
        fprintf(out, "%s:%u", ip4_text(e.ip, ip), e.port);
        p += n;
    }
}

static void put_case(FILE *out, const struct sample *s)
{
    fprintf(out, "\n");
    put_lines(out, s->files ? "case" : "logs", s->name);
    if (s->number)
        fprintf(out, "story    %d\n", s->number);
    put_lines(out, "files", s->files);
    put_lines(out, "args", s->args);
    put_wrapped(out, "shows", s->shows);
    put_expectations(out, s);
    put_lines(out, "finding", s->finding);
    put_lines(out, "absent", s->absent);
}

static int build_all(const char *dir, FILE *index)
{
    fputs(index_head, index);
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (const struct sample *s = groups[g]; s->name; s++) {
            put_case(index, s);
            if (s->build && s->build(s, dir)) {
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

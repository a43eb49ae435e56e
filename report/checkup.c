/* The lines of `doctor` on paper and as JSON. */
#include "report/checkup.h"

#include "report/json.h"
#include "report/prose.h"

#include <stdarg.h>

static const char *const words[] = {"ok", "look", "bad"};

enum { PROGRAM_LINE = 128 };
enum { TOPIC_AT = 0, FACT_AT = 20 };

void checkup_add(struct checkup *c, const char *check, enum judgement j, const char *advice,
                 const char *fmt, ...)
{
    va_list ap;
    if (c->n == CHECKUP_LINES)
        return;
    struct checkup_line *l = &c->lines[c->n++];
    *l = (struct checkup_line){.check = check, .judgement = j, .advice = advice};
    va_start(ap, fmt);
    vsnprintf(l->fact, sizeof l->fact, fmt, ap);
    va_end(ap);
}

static unsigned count(const struct checkup *c, enum judgement j)
{
    unsigned n = 0;
    for (unsigned i = 0; i < c->n; i++)
        n += c->lines[i].judgement == j;
    return n;
}

bool checkup_usable(const struct checkup *c)
{
    return count(c, CHECK_BAD) == 0;
}

void checkup_print(const struct checkup *c, const char *sources, const struct prose *p)
{
    char lead[64], text[PROGRAM_LINE];
    for (unsigned i = 0; i < c->n; i++) {
        const struct checkup_line *l = &c->lines[i];
        snprintf(lead, sizeof lead, "%-5s %s", words[l->judgement], l->check);
        prose_item(p, TOPIC_AT, FACT_AT, lead, "%s", l->fact);
        if (l->advice)
            prose_item(p, FACT_AT, FACT_AT + 4, "->", "%s", l->advice);
    }
    fputc('\n', p->out);
    for (unsigned i = 0; i < c->program_n; i++)
        fprintf(p->out, "%s%s\n", i ? "" : "the program that cuts packets in the kernel:\n",
                c->program_text(c->program, i, text, sizeof text));
    unsigned bad = count(c, CHECK_BAD), look = count(c, CHECK_LOOK);
    prose_text(p, 0, "%s: %s. %u ok, %u to look at, %u bad.", sources,
               bad    ? "not usable as it is"
               : look ? "usable, with remarks"
                      : "usable",
               count(c, CHECK_OK), look, bad);
}

void checkup_print_json(const struct checkup *c, const char *sources, FILE *out)
{
    json_t *lines = json_array();
    for (unsigned i = 0; i < c->n; i++) {
        const struct checkup_line *l = &c->lines[i];
        json_array_append_new(lines, json_pack("{s:s, s:s, s:o, s:o}", "check", l->check,
                                               "judgement", words[l->judgement], "fact",
                                               json_safe(l->fact), "advice", json_safe(l->advice)));
    }
    json_t *program = json_array();
    char text[PROGRAM_LINE];
    for (unsigned i = 0; i < c->program_n; i++)
        json_array_append_new(program,
                              json_safe(c->program_text(c->program, i, text, sizeof text)));
    json_t *all = json_pack("{s:o, s:b, s:o, s:o}", "sources", json_safe(sources), "usable",
                            checkup_usable(c), "checks", lines, "program", program);
    json_write(all, JSON_INDENT(2), out);
    fputc('\n', out);
    json_decref(all);
}

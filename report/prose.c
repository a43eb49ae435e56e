/* Paragraphs for a page of fixed width. */
#include "report/prose.h"

#include "report/html.h"
#include "report/safe.h"
#include "report/table.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { PROSE_NARROW = 60, PROSE_PIPE = 80, PROSE_WIDE = 160 };

struct prose prose_on(FILE *out)
{
    unsigned width = table_width(out);
    if (width == 0)
        width = PROSE_PIPE;
    width = width < PROSE_NARROW ? PROSE_NARROW : width > PROSE_WIDE ? PROSE_WIDE : width;
    return (struct prose){out, width, NULL, fileno(out) >= 0 && !safe_utf8_shown()};
}

unsigned prose_columns(const char *text, size_t bytes)
{
    unsigned columns = 0;
    for (size_t i = 0, n; i < bytes; i += n) {
        wchar_t c = 0;
        mbstate_t state = {0};
        n = safe_length(text + i);
        n = n == 0 || i + n > bytes ? 1 : n;
        int wide = n > 1 && mbrtowc(&c, text + i, n, &state) == n ? wcwidth(c) : 1;
        columns += wide < 0 ? 1 : (unsigned)wide;
    }
    return columns;
}

/* ---- HTML ---- */

void prose_close(const struct prose *p)
{
    if (p->html && p->html->list)
        fputs("</dl>\n", p->out);
    if (p->html)
        p->html->list = false;
}

/* "WHAT HAPPENED (x)" as "What happened (x)" */
static void html_heading(const struct prose *p, const char *text)
{
    prose_close(p);
    if (p->html->section)
        fputs("</section>\n", p->out);
    p->html->section = true;
    fputs("<section>\n<h2>", p->out);
    for (size_t i = 0; text[i]; i++)
        html_format(p->out, "%c", i ? tolower((unsigned char)text[i]) : text[i]);
    fputs("</h2>\n", p->out);
}

static void html_lead(const struct prose *p, bool term, const char *lead, const char *text)
{
    if (!term) {
        prose_close(p);
        html_element(p->out, "p", NULL, text);
        fputc('\n', p->out);
        return;
    }
    if (!p->html->list)
        fputs("<dl class=\"facts\">\n", p->out);
    if (!p->html->list || *lead)
        html_element(p->out, "dt", NULL, *lead ? lead + strspn(lead, " ") : "and");
    p->html->list = true;
    html_element(p->out, "dd", NULL, text);
    fputc('\n', p->out);
}

/* ---- text ---- */

void prose_heading(const struct prose *p, const char *text)
{
    if (p->html)
        html_heading(p, text);
    else
        fprintf(p->out, "\n%s\n", text);
}

/* Writes the words of a safe text. The cursor stands at column hang, with nothing written after it.
 */
static void put_words(const struct prose *p, unsigned hang, const char *text)
{
    unsigned at = hang;
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t n = strcspn(text, " ");
        unsigned wide = prose_columns(text, n), gap = at > hang;
        if (gap && at + gap + wide > p->width) {
            fprintf(p->out, "\n%*s", (int)hang, "");
            at = hang;
            gap = 0;
        }
        fprintf(p->out, "%s%.*s", gap ? " " : "", (int)n, text);
        at += gap + wide;
        text += n;
    }
    fputc('\n', p->out);
}

void prose_lead(const struct prose *p, unsigned indent, unsigned hang, const char *lead,
                const char *text)
{
    if (p->html) {
        html_lead(p, hang > indent, lead, text);
        return;
    }
    char *safe_lead = safe_copy(lead), *safe = safe_copy(text);
    if (safe_lead && safe && p->ascii) {
        safe_ascii(safe_lead);
        safe_ascii(safe);
    }
    if (safe_lead && safe) {
        fprintf(p->out, "%*s%s", (int)indent, "", safe_lead);
        unsigned at = indent + prose_columns(safe_lead, strlen(safe_lead));
        if (at < hang || at == indent)
            fprintf(p->out, "%*s", (int)(hang - at), "");
        else
            fprintf(p->out, "\n%*s", (int)hang, "");
        put_words(p, hang, safe);
    }
    free(safe_lead);
    free(safe);
}

static void put_format(const struct prose *p, unsigned indent, unsigned hang, const char *lead,
                       const char *fmt, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, args) < 0)
        return;
    prose_lead(p, indent, hang, lead, text);
    free(text);
}

void prose_text(const struct prose *p, unsigned indent, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_format(p, indent, indent, "", fmt, args);
    va_end(args);
}

void prose_item(const struct prose *p, unsigned indent, unsigned hang, const char *lead,
                const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_format(p, indent, hang, lead, fmt, args);
    va_end(args);
}

void prose_title(const struct prose *p, unsigned indent, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0)
        return;
    prose_close(p);
    if (p->html)
        html_element(p->out, "h3", NULL, text);
    else
        prose_lead(p, indent, indent, "", text);
    free(text);
}

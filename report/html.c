/* Escaping, and the frame of a page. */
#include "report/html.h"

#include "report/safe.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* style.css, taken in by the assembler as schema.sql is. */
__asm__(".section .rodata\n"
        ".global html_style_text\n"
        "html_style_text:\n"
        ".incbin \"report/style.css\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char html_style_text[];

const char *html_style(size_t *n)
{
    *n = strlen(html_style_text);
    return html_style_text;
}

/* ---- escaping ---- */

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void put(FILE *out, const char *text, size_t n)
{
    for (const char *p = text, *end = text + n; p < end;) {
        size_t wide = safe_length(p);
        const char *name = entity(*p);
        if (name)
            fputs(name, out);
        else if (wide)
            fwrite(p, 1, wide, out);
        else
            fputc(*p == '\n' || *p == '\t' || *p == '\r' ? ' ' : '?', out);
        p += wide ? wide : 1;
    }
}

void html_text(FILE *out, const char *text)
{
    if (text)
        put(out, text, strlen(text));
}

void html_vformat(FILE *out, const char *fmt, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, args) < 0)
        return;
    html_text(out, text);
    free(text);
}

void html_format(FILE *out, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    html_vformat(out, fmt, args);
    va_end(args);
}

size_t html_cut(const char *text, size_t most)
{
    size_t n = 0;
    for (size_t i = 0; i < most && text[n]; i++) {
        size_t wide = safe_length(text + n);
        n += wide ? wide : 1;
    }
    return n;
}

void html_wire(FILE *out, const char *text, size_t most)
{
    text = text ? text : "";
    size_t n = most ? html_cut(text, most) : strlen(text);
    if (!text[n]) {
        fputs("<bdi>", out);
        html_text(out, text);
        fputs("</bdi>", out);
        return;
    }
    fputs("<bdi title=\"", out);
    html_text(out, text);
    fputs("\">", out);
    put(out, text, n);
    fputs("\u2026</bdi>", out);
}

void html_element(FILE *out, const char *tag, const char *class, const char *text)
{
    fprintf(out, "<%s", tag);
    if (class)
        fprintf(out, " class=\"%s\"", class);
    fputc('>', out);
    html_text(out, text);
    fprintf(out, "</%s>", tag);
}

/* ---- pages ---- */

void html_page_begin(FILE *out, const char *title, const char *style)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
          out);
    html_text(out, title);
    fputs("</title>\n", out);
    if (style) {
        fputs("<link rel=\"stylesheet\" href=\"", out);
        html_text(out, style);
        fputs("\">\n", out);
    } else {
        fputs("<style>\n", out);
        fputs(html_style_text, out);
        fputs("</style>\n", out);
    }
    fputs("</head>\n<body>\n", out);
}

void html_page_end(FILE *out)
{
    fputs("</body>\n</html>\n", out);
}

/* ---- tables ---- */

void html_table_begin(FILE *out, const char *caption, const char *const heads[])
{
    bool hidden = *caption == '-';
    /* what scrolls must be in reach of a keyboard */
    fputs("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"", out);
    html_text(out, caption + hidden);
    fprintf(out, "\">\n<table>\n<caption%s>", hidden ? " class=\"hidden\"" : "");
    html_text(out, caption + hidden);
    fputs("</caption>\n<thead>\n<tr>", out);
    for (; *heads; heads++) {
        bool screen = **heads == '~', number = (*heads)[screen] == '>';
        const char *class = screen && number ? " class=\"n screen\""
                            : screen         ? " class=\"screen\""
                            : number         ? " class=\"n\""
                                             : "";
        fprintf(out, "<th scope=\"col\"%s>", class);
        html_text(out, *heads + screen + number);
        fputs("</th>", out);
    }
    fputs("</tr>\n</thead>\n<tbody>\n", out);
}

void html_table_end(FILE *out)
{
    fputs("</tbody>\n</table>\n</div>\n", out);
}

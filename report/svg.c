/* Shapes of a picture, by class. */
#include "report/svg.h"

#include "report/html.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* One decimal, with a point in every locale. */
static void number(FILE *out, double v)
{
    long tenths = lround(v * 10);
    fprintf(out, "%s%ld", tenths < 0 ? "-" : "", labs(tenths) / 10);
    if (tenths % 10)
        fprintf(out, ".%ld", labs(tenths) % 10);
}

static void attribute(const struct svg *s, const char *name, double v)
{
    fprintf(s->out, " %s=\"", name);
    number(s->out, v);
    fputc('"', s->out);
}

static void pattern(const struct svg *s, const char *name, const char *path)
{
    fprintf(s->out,
            "<pattern id=\"%s-%s\" class=\"p-%s\" width=\"6\" height=\"6\""
            " patternUnits=\"userSpaceOnUse\"><rect width=\"6\" height=\"6\"/><path d=\"%s\"/>"
            "</pattern>",
            s->id, name, name, path);
}

struct svg svg_begin(FILE *out, const char *id, double w, double h, const char *title,
                     const char *description)
{
    struct svg s = {out, id};
    fputs("<figure class=\"chart\">\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
          "aria-label=\"",
          out);
    html_text(out, title);
    fprintf(out, "\">\n<svg class=\"%s\" viewBox=\"0 0 ", w > 800 ? "wide" : "plain");
    number(out, w);
    fputc(' ', out);
    number(out, h);
    fputc('"', out);
    attribute(&s, "width", w);
    attribute(&s, "height", h);
    fprintf(out, " role=\"img\" aria-labelledby=\"%s-t %s-d\">\n<title id=\"%s-t\">", id, id, id);
    html_text(out, title);
    fprintf(out, "</title>\n<desc id=\"%s-d\">", id);
    html_text(out, description);
    fputs("</desc>\n<defs>", out);
    pattern(&s, "blind", "M-1 1l2 -2M0 6l6 -6M5 7l2 -2");
    pattern(&s, "bad", "M-1 5l2 2M0 0l6 6M5 -1l2 2");
    pattern(&s, "share", "M0 3h6");
    fputs("</defs>\n", out);
    return s;
}

void svg_end(const struct svg *s, const char *caption)
{
    fputs("</svg>\n</div>\n", s->out);
    if (caption) {
        html_element(s->out, "figcaption", NULL, caption);
        fputc('\n', s->out);
    }
    fputs("</figure>\n", s->out);
}

static void tip_and_close(const struct svg *s, const char *tag, const char *tip)
{
    if (!tip) {
        fputs("/>\n", s->out);
        return;
    }
    fputs("><title>", s->out);
    html_text(s->out, tip);
    fprintf(s->out, "</title></%s>\n", tag);
}

static void box(const struct svg *s, double x, double y, double w, double h, const char *tip)
{
    attribute(s, "x", x);
    attribute(s, "y", y);
    attribute(s, "width", w);
    attribute(s, "height", h);
    tip_and_close(s, "rect", tip);
}

void svg_rect(const struct svg *s, const char *class, double x, double y, double w, double h,
              const char *tip)
{
    fprintf(s->out, "<rect class=\"%s\"", class);
    box(s, x, y, w, h, tip);
}

void svg_pattern(const struct svg *s, const char *name, double x, double y, double w, double h,
                 const char *tip)
{
    fprintf(s->out, "<rect class=\"%s\" fill=\"url(#%s-%s)\"", name, s->id, name);
    box(s, x, y, w, h, tip);
}

void svg_veil(const struct svg *s, const char *name, double x, double y, double w, double h)
{
    fprintf(s->out, "<rect class=\"%s veil\" fill=\"url(#%s-%s)\"", name, s->id, name);
    box(s, x, y, w, h, NULL);
}

void svg_line(const struct svg *s, const char *class, double x1, double y1, double x2, double y2)
{
    fprintf(s->out, "<line class=\"%s\"", class);
    attribute(s, "x1", x1);
    attribute(s, "y1", y1);
    attribute(s, "x2", x2);
    attribute(s, "y2", y2);
    fputs("/>\n", s->out);
}

void svg_head(const struct svg *s, const char *class, double x, double y, int dx)
{
    svg_path_begin(s, class);
    svg_path_to(s, 'M', x, y);
    svg_path_to(s, 'L', x - dx * 9, y - 4.5);
    svg_path_to(s, 'L', x - dx * 9, y + 4.5);
    fputc('Z', s->out);
    svg_path_end(s);
}

static void text_begin(const struct svg *s, const char *class, double x, double y)
{
    fprintf(s->out, "<text class=\"%s\"", class);
    attribute(s, "x", x);
    attribute(s, "y", y);
    fputc('>', s->out);
}

void svg_text(const struct svg *s, const char *class, double x, double y, const char *fmt, ...)
{
    va_list args;
    text_begin(s, class, x, y);
    va_start(args, fmt);
    html_vformat(s->out, fmt, args);
    va_end(args);
    fputs("</text>\n", s->out);
}

void svg_label(const struct svg *s, const char *class, double x, double y, const char *text,
               size_t most)
{
    size_t n = html_cut(text, most);
    if (!text[n]) {
        svg_text(s, class, x, y, "%s", text);
        return;
    }
    char *cut = strndup(text, html_cut(text, most - 1));
    text_begin(s, class, x, y);
    fputs("<title>", s->out);
    html_text(s->out, text);
    fputs("</title>", s->out);
    html_text(s->out, cut);
    fputs("\u2026</text>\n", s->out);
    free(cut);
}

void svg_path_begin(const struct svg *s, const char *class)
{
    fprintf(s->out, "<path class=\"%s\" d=\"", class);
}

void svg_path_to(const struct svg *s, char command, double x, double y)
{
    fputc(command, s->out);
    number(s->out, x);
    fputc(' ', s->out);
    number(s->out, y);
}

void svg_path_end(const struct svg *s)
{
    fputs("\"/>\n", s->out);
}

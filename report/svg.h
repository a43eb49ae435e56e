/*
 * SVG inside a page: shapes by class (style.css colours them, light and dark), never by style
 * attribute. Numbers do not depend on the locale. Every picture has a title and a description for
 * screen readers, and ids that begin with its own, so that a page may hold many.
 */
#ifndef EW_REPORT_SVG_H
#define EW_REPORT_SVG_H

#include <stdio.h>

struct svg {
    FILE *out;
    const char *id; /* unique on the page; letters, digits, '-' */
};

/* Opens a figure and the picture in it, w by h units; patterns "ID-blind", "ID-bad" and "ID-share"
 * are at hand (svg_pattern). */
struct svg svg_begin(FILE *out, const char *id, double w, double h, const char *title,
                     const char *description);
/* Closes the picture; caption (may be NULL) stands below it. */
void svg_end(const struct svg *s, const char *caption);

/* tip: what a pointer and a screen reader are told of the shape, NULL for nothing. */
void svg_rect(const struct svg *s, const char *class, double x, double y, double w, double h,
              const char *tip);
/* A rectangle filled with a pattern of the picture ("blind"), which tells without colour. */
void svg_pattern(const struct svg *s, const char *pattern, double x, double y, double w, double h,
                 const char *tip);
/* The same half transparent, over other shapes, whose tips stay within reach. */
void svg_veil(const struct svg *s, const char *pattern, double x, double y, double w, double h);
void svg_line(const struct svg *s, const char *class, double x1, double y1, double x2, double y2);
/* An arrow head at x, y; dx is 1 to the right, -1 to the left. */
void svg_head(const struct svg *s, const char *class, double x, double y, int dx);
/* class says where x is in the text: "start", "middle", "end" among others in it. */
__attribute__((format(printf, 5, 6))) void svg_text(const struct svg *s, const char *class,
                                                    double x, double y, const char *fmt, ...);
/* The same for a text that may be long: cut after most characters, the whole as a tip. */
void svg_label(const struct svg *s, const char *class, double x, double y, const char *text,
               size_t most);

/* A path point by point: "M" for the first, "L" for others, then svg_path_end(). */
void svg_path_begin(const struct svg *s, const char *class);
void svg_path_to(const struct svg *s, char command, double x, double y);
void svg_path_end(const struct svg *s);

#endif

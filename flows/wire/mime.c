/*
 * Multipart bodies (RFC 2046 §5.1) of SIP messages.
 *
 *   preamble  --boundary  part headers, blank line, content  --boundary ...  --boundary--  epilogue
 *
 * Lync sends multipart/alternative with an old and a new SDP, at times inside multipart/mixed.
 */
#include "flows/wire/sip.h"

#include "flows/wire/headers.h"

enum { WHOLE_BODY, IN_PARTS, AT_END };

struct delimiter {
    size_t before, after; /* its line in the text */
    bool last;
};

/* Is line "--boundary" or "--boundary--"? */
static bool is_delimiter(struct slice line, struct slice boundary, bool *last)
{
    if (line.n < boundary.n + 2 || line.p[0] != '-' || line.p[1] != '-' ||
        memcmp(line.p + 2, boundary.p, boundary.n) != 0)
        return false;
    struct slice tail = slice_trim(slice_from(line, boundary.n + 2));
    *last = slice_is(tail, "--");
    return *last || tail.n == 0;
}

static bool find_delimiter(struct slice text, struct slice boundary, struct delimiter *d)
{
    for (size_t at = 0; at < text.n;) {
        struct slice rest = slice_from(text, at), line = slice_before(rest, '\n');
        size_t next = at + line.n + (line.n < rest.n);
        if (is_delimiter(line, boundary, &d->last)) {
            d->before = at;
            d->after = next;
            return true;
        }
        at = next;
    }
    return false;
}

/* Boundary of a multipart type; empty if it is none. */
static struct slice boundary_of(struct slice type)
{
    return slice_starts(type, "multipart/") ? header_param(type, "boundary") : slice_of(NULL, 0);
}

/* What follows the first delimiter: preamble cut off. Empty if there is no part. */
static struct slice first_part(struct slice body, struct slice boundary)
{
    struct delimiter d;
    if (!find_delimiter(body, boundary, &d) || d.last)
        return slice_of(NULL, 0);
    return slice_from(body, d.after);
}

/* Cuts the next part off w->rest; without a further delimiter it is all that is left. */
static struct slice cut_part(struct mime_walk *w)
{
    struct delimiter d;
    struct slice part = w->rest;
    if (!find_delimiter(w->rest, w->boundary, &d)) {
        w->rest = slice_of(NULL, 0);
        return part;
    }
    w->rest = d.last ? slice_of(NULL, 0) : slice_from(w->rest, d.after);
    part.n = d.before;
    if (part.n && part.p[part.n - 1] == '\n') /* the line end before a delimiter belongs to it */
        part.n--;
    if (part.n && part.p[part.n - 1] == '\r')
        part.n--;
    return part;
}

static void split_part(struct slice part, struct slice *type, struct slice *disposition,
                       struct slice *body)
{
    struct cursor c = cursor_on(part);
    struct slice line, name, value;
    enum head_line kind;
    *type = *disposition = slice_of(NULL, 0);
    while ((kind = head_next(&c, &line)) == HEAD_FIELD) {
        if (!header_split(line, &name, &value))
            continue;
        if (slice_is(name, "Content-Type"))
            *type = value;
        else if (slice_is(name, "Content-Disposition"))
            *disposition = value;
    }
    if (kind == HEAD_CUT)
        c.p = c.end;
    *body = cursor_rest(&c);
}

/* Back to the outer multipart, if there is one. */
static bool leave_inner(struct mime_walk *w)
{
    if (!w->outer_boundary.n)
        return false;
    w->rest = w->outer_rest;
    w->boundary = w->outer_boundary;
    w->outer_boundary = slice_of(NULL, 0);
    return true;
}

/* Goes into a part that is multipart itself. The second level down is handed out as it is. */
static bool enter_inner(struct mime_walk *w, struct slice type, struct slice body)
{
    struct slice boundary = boundary_of(type);
    if (!boundary.n || w->outer_boundary.n)
        return false;
    w->outer_rest = w->rest;
    w->outer_boundary = w->boundary;
    w->rest = first_part(body, boundary);
    w->boundary = boundary;
    return true;
}

void mime_start(struct mime_walk *w, struct slice content_type, struct slice body)
{
    *w = (struct mime_walk){.rest = body, .type = content_type, .state = WHOLE_BODY};
    w->boundary = boundary_of(content_type);
    if (w->boundary.n) {
        w->state = IN_PARTS;
        w->rest = first_part(body, w->boundary);
    }
}

bool mime_next(struct mime_walk *w, struct slice *part_type, struct slice *part_disposition,
               struct slice *part_body)
{
    if (w->state == WHOLE_BODY) {
        w->state = AT_END;
        *part_type = w->type;
        *part_disposition = slice_of(NULL, 0);
        *part_body = w->rest;
        return w->rest.n > 0;
    }
    while (w->state == IN_PARTS) {
        struct slice type, disposition, body;
        if (w->rest.n == 0) {
            if (!leave_inner(w))
                w->state = AT_END;
            continue;
        }
        split_part(cut_part(w), &type, &disposition, &body);
        if ((type.n || body.n) && !enter_inner(w, type, body)) {
            *part_type = type;
            *part_disposition = disposition;
            *part_body = body;
            return true;
        }
    }
    return false;
}

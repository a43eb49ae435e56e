/* Bytes -> (inflate) -> UTF-8 -> lines. The door to zlib. */
#include "capture/textlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { RAW = 256 << 10, PLAIN = 256 << 10, NAME = 256, WHY = 512 };

enum encoding { ENCODING_UNKNOWN, ENCODING_UTF8, ENCODING_UTF16_LE, ENCODING_UTF16_BE };

struct textlog {
    int fd;
    char name[NAME], why[WHY];
    enum textlog_error damage;
    bool gzip, over; /* over: no more bytes will come */
    bool in_member;  /* of gzip: its end has not come yet */
    z_stream z;
    enum encoding encoding;
    bool at_start; /* no byte of text was looked at yet */
    uint32_t high; /* UTF-16: first half of a pair that waits for the second */
    size_t raw_at, raw_n, plain_at, plain_n, line_n;
    bool line_cut;
    struct textlog_counts counts;
    uint8_t raw[RAW];         /* as in the file */
    uint8_t plain[PLAIN + 4]; /* inflated; UTF-16 is turned into UTF-8 on the way to the line */
    uint8_t line[TEXTLOG_LINE_MAX + 8];
};

/* ---- opening ---- */

static const char *name_of(const char *path)
{
    return strcmp(path, "-") == 0 ? "stdin" : path;
}

/* A file that can be read as one; -1 with errno. */
static int open_path(const char *path, uint64_t *size)
{
    struct stat st;
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        errno = EISDIR;
        return -1;
    }
    *size = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    return fd;
}

struct textlog *textlog_open(const char *path, enum textlog_error *error, char *why, size_t room)
{
    uint64_t size = 0;
    int fd = open_path(path, &size);
    if (fd < 0) {
        *error = TEXTLOG_NOT_OPENED;
        snprintf(why, room, "%s: %s", name_of(path), strerror(errno));
        return NULL;
    }
    struct textlog *t = calloc(1, sizeof *t);
    if (!t) {
        close(fd);
        *error = TEXTLOG_NO_MEMORY;
        snprintf(why, room, "%s: no memory", name_of(path));
        return NULL;
    }
    t->fd = fd;
    t->at_start = true;
    t->counts.total = size;
    t->counts.fingerprint = UINT64_C(0xcbf29ce484222325);
    snprintf(t->name, sizeof t->name, "%s", name_of(path));
    *error = TEXTLOG_OK;
    return t;
}

void textlog_close(struct textlog *t)
{
    if (!t)
        return;
    if (t->gzip)
        inflateEnd(&t->z);
    close(t->fd);
    free(t);
}

/* ---- bytes ---- */

static void damaged(struct textlog *t, const char *what)
{
    t->damage = TEXTLOG_DAMAGED;
    t->over = true;
    snprintf(t->why, sizeof t->why, "%s: %s at byte %llu", t->name, what,
             (unsigned long long)(t->counts.read - (t->raw_n - t->raw_at)));
}

/* More raw bytes; false at the end. */
static bool fill_raw(struct textlog *t)
{
    ssize_t n;
    do
        n = read(t->fd, t->raw, sizeof t->raw);
    while (n < 0 && errno == EINTR);
    t->raw_at = 0;
    t->raw_n = n > 0 ? (size_t)n : 0;
    t->counts.read += t->raw_n;
    if (n < 0)
        damaged(t, strerror(errno));
    return n > 0;
}

static bool gzip_begins(const struct textlog *t)
{
    return t->raw_n - t->raw_at >= 2 && t->raw[t->raw_at] == 0x1f && t->raw[t->raw_at + 1] == 0x8b;
}

/* The first bytes tell; a pipe may give them one by one. */
static void look_for_gzip(struct textlog *t)
{
    enum { GZIP_WINDOW = 15 + 16 };
    if (t->raw_n == 1) {
        ssize_t n = read(t->fd, t->raw + 1, 1);
        t->raw_n += n > 0;
        t->counts.read += n > 0;
    }
    if (!gzip_begins(t))
        return;
    if (inflateInit2(&t->z, GZIP_WINDOW) != Z_OK) {
        damaged(t, "no memory to decompress");
        return;
    }
    t->gzip = t->in_member = true;
}

/* Behind a member comes another one, or what gzip(1) calls trailing garbage. */
static bool next_member(struct textlog *t)
{
    if (t->raw_at == t->raw_n && !fill_raw(t))
        return false;
    if (t->raw[t->raw_at] != 0x1f || inflateReset(&t->z) != Z_OK)
        return false;
    return t->in_member = true;
}

static void inflate_some(struct textlog *t)
{
    t->z.next_in = t->raw + t->raw_at;
    t->z.avail_in = (uInt)(t->raw_n - t->raw_at);
    t->z.next_out = t->plain;
    t->z.avail_out = PLAIN;
    int rc = inflate(&t->z, Z_NO_FLUSH);
    t->raw_at = t->raw_n - t->z.avail_in;
    t->plain_n = PLAIN - t->z.avail_out;
    if (rc == Z_STREAM_END)
        t->in_member = false;
    else if (rc != Z_OK && rc != Z_BUF_ERROR)
        damaged(t, t->z.msg ? t->z.msg : "compressed data is broken");
}

static void fill_gzip(struct textlog *t)
{
    while (!t->plain_n && !t->over) {
        if (!t->in_member && !next_member(t)) {
            t->over = true;
            return;
        }
        if (t->raw_at == t->raw_n && !fill_raw(t)) {
            if (t->damage == TEXTLOG_OK)
                damaged(t, "compressed data ends early");
            return;
        }
        inflate_some(t);
    }
}

/* More bytes of text; false at the end. */
static bool fill_plain(struct textlog *t)
{
    t->plain_at = t->plain_n = 0;
    if (t->over)
        return false;
    if (!t->counts.read) {
        if (!fill_raw(t)) {
            t->over = true;
            return false;
        }
        look_for_gzip(t);
    }
    if (t->gzip) {
        fill_gzip(t);
    } else if (t->raw_at < t->raw_n || fill_raw(t)) {
        t->plain_n = t->raw_n - t->raw_at;
        memcpy(t->plain, t->raw + t->raw_at, t->plain_n);
        t->raw_at = t->raw_n;
    } else {
        t->over = true;
    }
    t->counts.bytes += t->plain_n;
    return t->plain_n > 0;
}

static bool next_byte(struct textlog *t, uint8_t *out)
{
    if (t->plain_at == t->plain_n && !fill_plain(t))
        return false;
    *out = t->plain[t->plain_at++];
    return true;
}

/* ---- encoding ---- */

static void put_byte(struct textlog *t, uint8_t c)
{
    if (t->line_n < TEXTLOG_LINE_MAX)
        t->line[t->line_n++] = c;
    else
        t->line_cut = true;
}

static void put_rune(struct textlog *t, uint32_t c)
{
    if (c < 0x80) {
        put_byte(t, (uint8_t)c);
    } else if (c < 0x800) {
        put_byte(t, (uint8_t)(0xc0 | c >> 6));
        put_byte(t, (uint8_t)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        put_byte(t, (uint8_t)(0xe0 | c >> 12));
        put_byte(t, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        put_byte(t, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        put_byte(t, (uint8_t)(0xf0 | c >> 18));
        put_byte(t, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        put_byte(t, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        put_byte(t, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

/* Halves of surrogate pairs without the other half become U+FFFD. */
static void put_unit(struct textlog *t, uint32_t unit)
{
    enum { REPLACEMENT = 0xfffd };
    bool low = unit >= 0xdc00 && unit < 0xe000, high = unit >= 0xd800 && unit < 0xdc00;
    if (t->high && low) {
        put_rune(t, 0x10000 + ((t->high - 0xd800) << 10) + (unit - 0xdc00));
        t->high = 0;
        return;
    }
    if (t->high)
        put_rune(t, REPLACEMENT);
    t->high = high ? unit : 0;
    if (!high)
        put_rune(t, low ? (uint32_t)REPLACEMENT : unit);
}

/* The byte order mark decides, and is no text. */
static void look_for_mark(struct textlog *t)
{
    static const struct {
        uint8_t bytes[3];
        size_t n;
        enum encoding encoding;
    } marks[] = {{{0xef, 0xbb, 0xbf}, 3, ENCODING_UTF8},
                 {{0xff, 0xfe, 0}, 2, ENCODING_UTF16_LE},
                 {{0xfe, 0xff, 0}, 2, ENCODING_UTF16_BE}};
    uint8_t seen[3];
    size_t n = 0;
    t->at_start = false;
    t->encoding = ENCODING_UTF8;
    while (n < sizeof seen && next_byte(t, &seen[n]))
        n++;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (n >= marks[i].n && memcmp(seen, marks[i].bytes, marks[i].n) == 0) {
            t->encoding = marks[i].encoding;
            n -= marks[i].n;
            memmove(seen, seen + marks[i].n, n);
            break;
        }
    /* what was no mark goes back in front of what is left: plain has room for it */
    if (t->plain_at >= n) {
        t->plain_at -= n;
        memcpy(t->plain + t->plain_at, seen, n);
        return;
    }
    memmove(t->plain + n, t->plain + t->plain_at, t->plain_n - t->plain_at);
    t->plain_n += n - t->plain_at;
    t->plain_at = 0;
    memcpy(t->plain, seen, n);
}

/* ---- lines ---- */

/* Bytes up to the next line end into the line. False: the text ended first. */
static bool line_of_bytes(struct textlog *t)
{
    while (t->plain_at < t->plain_n || fill_plain(t)) {
        const uint8_t *from = t->plain + t->plain_at;
        size_t left = t->plain_n - t->plain_at, room = TEXTLOG_LINE_MAX - t->line_n;
        const uint8_t *end = memchr(from, '\n', left);
        size_t n = end ? (size_t)(end - from) : left;
        memcpy(t->line + t->line_n, from, n < room ? n : room);
        t->line_n += n < room ? n : room;
        t->line_cut |= n > room;
        t->plain_at += n + (end != NULL);
        if (end)
            return true;
    }
    return false;
}

static bool line_of_units(struct textlog *t)
{
    uint8_t a, b;
    while (next_byte(t, &a) && next_byte(t, &b)) {
        uint32_t unit =
            t->encoding == ENCODING_UTF16_LE ? (uint32_t)b << 8 | a : (uint32_t)a << 8 | b;
        if (unit == '\n')
            return true;
        put_unit(t, unit);
    }
    return false;
}

static void fingerprint(struct textlog *t)
{
    uint64_t h = t->counts.fingerprint, w;
    const uint8_t *p = t->line;
    size_t n = t->line_n;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        h = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    w = 0;
    memcpy(&w, p, n);
    h = (h ^ w ^ (uint64_t)t->line_n << 48) * UINT64_C(0xe7037ed1a0b428db);
    t->counts.fingerprint = h ^ h >> 32;
}

bool textlog_next(struct textlog *t, struct textlog_line *out)
{
    t->line_n = 0;
    t->line_cut = false;
    if (t->at_start)
        look_for_mark(t);
    bool ended = t->encoding == ENCODING_UTF8 ? line_of_bytes(t) : line_of_units(t);
    if (!ended && !t->line_n)
        return false;
    while (t->line_n && t->line[t->line_n - 1] == '\r')
        t->line_n--;
    t->counts.lines++;
    t->counts.cut += t->line_cut;
    fingerprint(t);
    *out = (struct textlog_line){slice_of(t->line, t->line_n), t->counts.lines, !ended};
    return true;
}

enum textlog_error textlog_damage(const struct textlog *t, const char **text)
{
    *text = t->why;
    return t->damage;
}

void textlog_counts(const struct textlog *t, struct textlog_counts *out)
{
    *out = t->counts;
}

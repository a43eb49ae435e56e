/*
 * A growing text: JSON and addresses for the packed columns, formatted by hand because a call
 * brings thirty candidates and the writer has microseconds for it.
 */
#ifndef EW_STORAGE_TEXT_H
#define EW_STORAGE_TEXT_H

#include "capture/digits.h"
#include "capture/endpoint.h"
#include "capture/tick.h"

/* Zeroed = empty. Without memory 'failed' stays set and what follows is ignored. */
struct text {
    char *p; /* not NUL-terminated */
    size_t n, room;
    bool failed;
};

void text_free(struct text *t);
/* Room for n more bytes. False without memory. */
bool text_grow(struct text *t, size_t n);

/* Where n more bytes may be written, NULL without memory; text_to() then says how far they go. */
static inline char *text_room(struct text *t, size_t n)
{
    return t->room - t->n >= n || text_grow(t, n) ? t->p + t->n : NULL;
}

static inline void text_to(struct text *t, const char *end)
{
    t->n = (size_t)(end - t->p);
}

static inline void text_raw(struct text *t, const char *s, size_t n)
{
    if (n && (t->room - t->n >= n || text_grow(t, n))) {
        memcpy(t->p + t->n, s, n);
        t->n += n;
    }
}

static inline void text_char(struct text *t, char c)
{
    text_raw(t, &c, 1);
}

static inline void text_put(struct text *t, const char *s)
{
    text_raw(t, s, strlen(s));
}

void text_int(struct text *t, int64_t v);

/* JSON values. NULL, an unknown tick and an absent address or port 0 are null. Bytes that are no
 * UTF-8 become U+FFFD. */
void text_json(struct text *t, const char *s);
void text_json_slice(struct text *t, struct slice s);
void text_json_addr(struct text *t, const struct addr *a);
void text_json_port(struct text *t, uint16_t port);
void text_json_tick(struct text *t, tick_t tick);

/* The same values behind each other where text_room() made room for them, each at most as long as
 * this. They return the end. */
enum { JSON_ADDR = ADDR_TEXT + 2, JSON_PORT = 5, JSON_INT = DIGITS_MOST }; /* null is shorter */
static inline size_t json_string_most(size_t n)
{
    return n * 6 + 2;
}
char *json_put_string(char *to, struct slice s);
/* what stands between the quotes */
char *json_put_chars(char *to, struct slice s);
char *json_put_null(char *to);
char *json_put_addr(char *to, const struct addr *a);
char *json_put_port(char *to, uint16_t port);

/* addr_text() that returns the length, 0 for none. */
size_t text_of_addr(const struct addr *a, char out[ADDR_TEXT]);

/* The address's /24 or /48: "1.2.3.0/24". "" for none. */
enum { NET_TEXT = ADDR_TEXT + 4 };
char *text_of_net(const struct addr *a, char out[NET_TEXT]);

/* Are 8 bytes plain ASCII? */
static inline bool text_ascii(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return !(v & UINT64_C(0x8080808080808080));
}

/* Length of the UTF-8 sequence at s (n bytes there), 0 if it is none. */
size_t text_utf8(const uint8_t *s, size_t n);

#endif

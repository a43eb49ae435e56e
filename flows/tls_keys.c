/* Private keys and secrets. */
#include "flows/tls_keys.h"

#include "flows/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { SOURCES = 64, NAME = 96, CHUNK = 512, BUCKETS = 1 << 16 };

struct secret {
    uint32_t next; /* in its bucket; 0 = last */
    uint8_t kind, n, source, used;
    uint8_t id[SECRET_ID], value[SECRET_MAX];
};
_Static_assert(sizeof(struct secret) == 88, "known size of locked memory");

/* Where secrets come from: a key log, or a private key. */
struct source {
    char name[NAME];
    char line[KEYLOG_LINE]; /* begun, in locked memory like the secrets themselves */
    uint32_t filled;
    bool too_long;         /* the rest of this line is passed over */
    bool fitting, foreign; /* lines that a key log may have; others */
};

/* A pre-master secret of Diffie-Hellman that has no room in struct secret. */
struct long_secret {
    uint16_t n;
    uint8_t kind, source;
    uint8_t id[SECRET_ID], value[PREMASTER_MAX];
};

struct locked {
    struct source sources[SOURCES];
    struct long_secret longs[LIMIT_TLS_LONG_SECRETS];
    struct secret secrets[LIMIT_TLS_SECRETS + 1]; /* 0 = none */
};

struct tls_keys {
    struct locked *locked; /* mapped */
    size_t locked_bytes;   /* of its front */
    uint32_t used, oldest; /* secrets in use; the next one to be replaced once all are */
    uint32_t next_long;    /* of longs: the next one to be written */
    uint32_t index[BUCKETS];
    uint64_t seed, version;
    struct tls_private *keys[LIMIT_TLS_KEYS];
    int key_source[LIMIT_TLS_KEYS];
    int n_sources;
    bool growing;
    struct tls_keys_counts counts;
};

/* Locks what is used first; the table may never fill. */
static void lock_up_to(struct tls_keys *k, const void *end)
{
    size_t wanted = (size_t)((const uint8_t *)end - (const uint8_t *)k->locked);
    if (wanted <= k->locked_bytes)
        return;
    wanted += CHUNK * sizeof(struct secret);
    if (wanted > sizeof *k->locked)
        wanted = sizeof *k->locked;
    if (mlock((uint8_t *)k->locked + k->locked_bytes, wanted - k->locked_bytes) != 0)
        k->counts.unlocked = true;
    k->locked_bytes = wanted;
}

struct tls_keys *tls_keys_new(void)
{
    struct tls_keys *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    bool locked;
    if (!tls_crypto_start(&locked)) {
        free(k);
        return NULL;
    }
    k->counts.unlocked = !locked;
    k->locked = mmap(NULL, sizeof *k->locked, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (k->locked == MAP_FAILED) {
        free(k);
        return NULL;
    }
    madvise(k->locked, sizeof *k->locked, MADV_DONTDUMP);
    lock_up_to(k, &k->locked->secrets[1]);
    k->seed = (uint64_t)(uintptr_t)k->locked >> 12;
    return k;
}

void tls_keys_free(struct tls_keys *k)
{
    if (!k)
        return;
    for (unsigned i = 0; i < k->counts.keys; i++)
        tls_private_free(k->keys[i]);
    tls_wipe(k->locked, k->locked_bytes);
    munmap(k->locked, sizeof *k->locked);
    free(k);
}

void tls_keys_counts(const struct tls_keys *k, struct tls_keys_counts *out)
{
    *out = k->counts;
}

/* ---- private keys ---- */

int tls_keys_source(struct tls_keys *k, const char *name)
{
    if (k->n_sources == SOURCES)
        return -1;
    snprintf(k->locked->sources[k->n_sources].name, NAME, "%s", name);
    return k->n_sources++;
}

const char *tls_keys_source_name(const struct tls_keys *k, int source)
{
    return source >= 0 && source < k->n_sources ? k->locked->sources[source].name : NULL;
}

int tls_keys_add(struct tls_keys *k, struct tls_private *key, const char *name)
{
    if (k->counts.keys == LIMIT_TLS_KEYS)
        return -1;
    int source = tls_keys_source(k, name);
    if (source < 0)
        return -1;
    k->key_source[k->counts.keys] = source;
    k->keys[k->counts.keys++] = key;
    return 0;
}

const struct tls_private *tls_keys_private(const struct tls_keys *k, const uint8_t id[32],
                                           int *source)
{
    for (unsigned i = 0; i < k->counts.keys; i++)
        if (memcmp(tls_private_id(k->keys[i]), id, 32) == 0) {
            *source = k->key_source[i];
            return k->keys[i];
        }
    return NULL;
}

/* ---- secrets ---- */

static uint32_t *bucket_of(const struct tls_keys *k, enum tls_secret kind,
                           const uint8_t id[SECRET_ID])
{
    struct endpoint a = {.port = (uint16_t)kind}, b = {.port = 0};
    memcpy(a.addr.b, id, 16);
    memcpy(b.addr.b, id + 16, 16);
    return (uint32_t *)&k->index[endpoint_hash2(&a, &b, k->seed) % BUCKETS];
}

static struct secret *find(const struct tls_keys *k, enum tls_secret kind,
                           const uint8_t id[SECRET_ID])
{
    for (uint32_t i = *bucket_of(k, kind, id); i; i = k->locked->secrets[i].next) {
        struct secret *s = &k->locked->secrets[i];
        if (s->kind == kind && memcmp(s->id, id, SECRET_ID) == 0)
            return s;
    }
    return NULL;
}

static void unlink_secret(struct tls_keys *k, uint32_t number)
{
    struct secret *s = &k->locked->secrets[number];
    uint32_t *at = bucket_of(k, (enum tls_secret)s->kind, s->id);
    while (*at && *at != number)
        at = &k->locked->secrets[*at].next;
    if (*at)
        *at = s->next;
}

static struct secret *take(struct tls_keys *k, enum tls_secret kind, const uint8_t id[SECRET_ID])
{
    uint32_t number;
    if (k->used < LIMIT_TLS_SECRETS) {
        number = ++k->used;
        lock_up_to(k, &k->locked->secrets[number + 1]);
    } else {
        number = k->oldest % LIMIT_TLS_SECRETS + 1;
        k->oldest = number;
        unlink_secret(k, number);
        k->counts.evicted++;
    }
    struct secret *s = &k->locked->secrets[number];
    uint32_t *bucket = bucket_of(k, kind, id);
    *s = (struct secret){.next = *bucket, .kind = (uint8_t)kind};
    memcpy(s->id, id, SECRET_ID);
    *bucket = number;
    return s;
}

static void id_of(struct slice id, uint8_t out[SECRET_ID])
{
    memset(out, 0, SECRET_ID);
    memcpy(out, id.p, id.n < SECRET_ID ? id.n : SECRET_ID);
}

static struct long_secret *find_long(const struct tls_keys *k, enum tls_secret kind,
                                     const uint8_t id[SECRET_ID])
{
    for (unsigned i = 0; i < LIMIT_TLS_LONG_SECRETS; i++) {
        struct long_secret *s = &k->locked->longs[i];
        if (s->n && s->kind == kind && memcmp(s->id, id, SECRET_ID) == 0)
            return s;
    }
    return NULL;
}

static void put_long(struct tls_keys *k, enum tls_secret kind, const uint8_t id[SECRET_ID],
                     struct slice secret, int source)
{
    struct long_secret *s = find_long(k, kind, id);
    if (!s)
        s = &k->locked->longs[k->next_long++ % LIMIT_TLS_LONG_SECRETS];
    k->counts.evicted += s->n && memcmp(s->id, id, SECRET_ID) != 0;
    *s = (struct long_secret){
        .n = (uint16_t)secret.n, .kind = (uint8_t)kind, .source = (uint8_t)source};
    memcpy(s->id, id, SECRET_ID);
    memcpy(s->value, secret.p, secret.n);
    k->version++;
}

void tls_keys_put(struct tls_keys *k, enum tls_secret kind, struct slice id, struct slice secret,
                  int source)
{
    uint8_t key[SECRET_ID];
    if (secret.n > PREMASTER_MAX || !id.n)
        return;
    id_of(id, key);
    if (secret.n > SECRET_MAX) {
        put_long(k, kind, key, secret, source);
        return;
    }
    struct secret *s = find(k, kind, key);
    if (!s)
        s = take(k, kind, key);
    s->n = (uint8_t)secret.n;
    s->source = (uint8_t)source;
    memcpy(s->value, secret.p, secret.n);
    k->version++;
}

size_t tls_keys_find(const struct tls_keys *k, enum tls_secret kind, struct slice id,
                     uint8_t secret[SECRET_MAX], int *source)
{
    uint8_t key[SECRET_ID];
    if (!k || !id.n)
        return 0;
    id_of(id, key);
    const struct secret *s = find(k, kind, key);
    if (!s)
        return 0;
    memcpy(secret, s->value, s->n);
    *source = s->source;
    return s->n;
}

struct slice tls_keys_lend(const struct tls_keys *k, enum tls_secret kind, struct slice id,
                           int *source)
{
    static const struct slice none;
    uint8_t key[SECRET_ID];
    if (!k || !id.n)
        return none;
    id_of(id, key);
    const struct secret *s = find(k, kind, key);
    const struct long_secret *l = s ? NULL : find_long(k, kind, key);
    if (s || l)
        *source = s ? s->source : l->source;
    return s ? slice_of(s->value, s->n) : l ? slice_of(l->value, l->n) : none;
}

/* ---- key logs ---- */

static void line_done(struct tls_keys *k, int source, struct slice line)
{
    struct keylog_line l;
    k->counts.lines++;
    struct wire_fault fault = {0};
    bool fits = keylog_looks_like(line);
    *(fits ? &k->locked->sources[source].fitting : &k->locked->sources[source].foreign) = true;
    if (keylog_parse(line, &l, &fault) == WIRE_OK) {
        tls_keys_put(k, (enum tls_secret)l.kind, slice_of(l.id, SECRET_ID), slice_of(l.secret, l.n),
                     source);
        k->counts.secrets++;
        tls_wipe(&l, sizeof l);
    } else if (fault.offset || !fits) {
        k->counts.bad_lines++; /* a label that we know, with damage behind it; or no line of it */
    }
}

static void keep(struct source *s, struct slice part)
{
    if (s->filled + part.n > sizeof s->line) {
        s->too_long = true;
        return;
    }
    memcpy(s->line + s->filled, part.p, part.n);
    s->filled += (uint32_t)part.n;
}

static void end_line(struct tls_keys *k, int source)
{
    struct source *s = &k->locked->sources[source];
    if (s->too_long) {
        k->counts.bad_lines++;
        s->foreign = true;
    } else if (s->filled) {
        line_done(k, source, slice_of(s->line, s->filled));
    }
    tls_wipe(s->line, s->filled);
    s->filled = 0;
    s->too_long = false;
}

void tls_keys_log(struct tls_keys *k, int source, struct slice bytes, bool end)
{
    if (source < 0 || source >= k->n_sources)
        return;
    struct source *s = &k->locked->sources[source];
    while (bytes.n) {
        const uint8_t *stop = memchr(bytes.p, '\n', bytes.n);
        size_t n = stop ? (size_t)(stop - bytes.p) : bytes.n;
        keep(s, slice_of(bytes.p, n));
        if (stop)
            end_line(k, source);
        n += stop != NULL;
        bytes = slice_of(bytes.p + n, bytes.n - n);
    }
    if (end)
        end_line(k, source);
}

bool tls_keys_is_foreign(const struct tls_keys *k, int source)
{
    const struct source *s = &k->locked->sources[source];
    /* a line that is not over yet: its label's first letter, or a comment */
    bool begun = s->filled && !(s->line[0] >= 'A' && s->line[0] <= 'Z') && s->line[0] != '#';
    return !s->fitting && (s->foreign || s->too_long || begun);
}

bool tls_keys_empty(const struct tls_keys *k)
{
    return !k->n_sources && !k->growing;
}

bool tls_keys_growing(const struct tls_keys *k)
{
    return k->growing;
}

void tls_keys_set_growing(struct tls_keys *k, bool growing)
{
    k->growing = growing;
}

uint64_t tls_keys_version(const struct tls_keys *k)
{
    return k->version;
}

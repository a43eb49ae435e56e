/* HEP3, chunk by chunk. */
#include "pcaps/make/hep.h"

static void chunk(struct buf *b, uint16_t type, size_t n)
{
    buf_u16(b, 0); /* the vendor that everybody knows */
    buf_u16(b, type);
    buf_u16(b, (uint16_t)(6 + n));
}

static void chunk_u8(struct buf *b, uint16_t type, uint8_t v)
{
    chunk(b, type, 1);
    buf_put(b, &v, 1);
}

static void chunk_u16(struct buf *b, uint16_t type, uint16_t v)
{
    chunk(b, type, 2);
    buf_u16(b, v);
}

static void chunk_u32(struct buf *b, uint16_t type, uint32_t v)
{
    chunk(b, type, 4);
    buf_u32(b, v);
}

void hep_write(struct buf *b, const struct hep_of *h, const struct buf *message)
{
    size_t start = b->n;
    buf_str(b, "HEP3");
    buf_u16(b, 0); /* length: below */
    chunk_u8(b, 1, 2);
    chunk_u8(b, 2, 6);
    chunk_u32(b, 3, h->from.ip);
    chunk_u32(b, 4, h->to.ip);
    chunk_u16(b, 7, h->from.port);
    chunk_u16(b, 8, h->to.port);
    chunk_u32(b, 9, (uint32_t)(h->at / 1000000));
    chunk_u32(b, 10, (uint32_t)(h->at % 1000000));
    chunk_u8(b, 11, 1);
    chunk_u32(b, 12, h->agent);
    chunk(b, 15, message->n);
    buf_put(b, message->p, message->n);
    set_u16(b->p + start + 4, (uint16_t)(b->n - start));
}

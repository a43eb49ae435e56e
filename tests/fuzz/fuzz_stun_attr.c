/* Attribute lists without the header that hides them. Two bytes in front: padded and cookie flags,
 * kind of the message. */
#include <stdlib.h>

#include "flows/wire/stun_attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    bool padded = data[0] & 1, has_cookie = data[0] & 2;
    struct slice body = slice_of(data + 2, size - 2);
    struct stun_msg m = {.kind = (enum stun_kind)(data[1] % STUN_KINDS)};
    stun_attr_read(body, padded, has_cookie, &m);
    if (!m.damaged && !stun_attr_closes(body, padded))
        abort();
    const struct slice parts[] = {m.error_text, m.data,        m.username,
                                  m.realm,      m.sip_call_id, m.foundation};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].n && (parts[i].p < body.p || parts[i].p + parts[i].n > body.p + body.n))
            abort();
    if (m.has & STUN_HAS_ERROR && (m.error_code < 200 || m.error_code > 699))
        abort();
    return 0;
}

/* STUN, TURN and MS-TURN messages: header, dialect, kinds. See stun.h. */
#include "flows/wire/stun.h"

#include "flows/wire/framing.h"
#include "flows/wire/stun_attr.h"

enum { HEADER = 20, COOKIE_END = 8, CHANNEL_HEADER = 4 };

struct kind_row {
    uint16_t type;
    enum stun_kind kind;
};

/* The first CLASSIC_ROWS are those of RFC 3489, which has no cookie to know it by. */
enum { CLASSIC_ROWS = 6 };
static const struct kind_row rfc_kinds[] = {
    {0x0001, STUN_BINDING_REQ},     {0x0101, STUN_BINDING_OK},    {0x0111, STUN_BINDING_ERR},
    {0x0002, STUN_SHARED_SECRET},   {0x0102, STUN_SHARED_SECRET}, {0x0112, STUN_SHARED_SECRET},
    {0x0011, STUN_BINDING_IND},     {0x0003, STUN_ALLOCATE_REQ},  {0x0103, STUN_ALLOCATE_OK},
    {0x0113, STUN_ALLOCATE_ERR},    {0x0004, STUN_REFRESH_REQ},   {0x0104, STUN_REFRESH_OK},
    {0x0114, STUN_REFRESH_ERR},     {0x0016, STUN_SEND},          {0x0017, STUN_DATA},
    {0x0008, STUN_PERMISSION_REQ},  {0x0108, STUN_PERMISSION_OK}, {0x0118, STUN_PERMISSION_ERR},
    {0x0009, STUN_CHANNEL_REQ},     {0x0109, STUN_CHANNEL_OK},    {0x0119, STUN_CHANNEL_ERR},
    {0x000a, STUN_CONNECT_REQ},     {0x010a, STUN_CONNECT_OK},    {0x011a, STUN_CONNECT_ERR},
    {0x000b, STUN_CONNBIND_REQ},    {0x010b, STUN_CONNBIND_OK},   {0x011b, STUN_CONNBIND_ERR},
    {0x001c, STUN_CONNATTEMPT_IND},
};

/* 0x0115 is no "error of method 5", nor 0x0004 a Refresh: MS-TURN numbers are whole (P§0.5). */
static const struct kind_row ms_kinds[] = {
    {0x0001, STUN_BINDING_REQ},
    {0x0101, STUN_BINDING_OK},
    {0x0111, STUN_BINDING_ERR},
    {0x0003, STUN_ALLOCATE_REQ},
    {0x0103, STUN_ALLOCATE_OK},
    {0x0113, STUN_ALLOCATE_ERR},
    {0x0004, STUN_SEND},
    {0x0115, STUN_DATA},
    {0x0006, STUN_ACTIVE_DEST_REQ},
    {0x0106, STUN_ACTIVE_DEST_OK},
    {0x0116, STUN_ACTIVE_DEST_ERR},
};

enum {
    RFC_ROWS = sizeof rfc_kinds / sizeof *rfc_kinds,
    MS_ROWS = sizeof ms_kinds / sizeof *ms_kinds
};

static enum stun_kind kind_of(const struct kind_row *rows, size_t n, uint16_t type)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].type == type)
            return rows[i].kind;
    return STUN_UNKNOWN;
}

static bool is_classic_type(uint16_t type)
{
    return kind_of(rfc_kinds, CLASSIC_ROWS, type) != STUN_UNKNOWN;
}

/* At least COOKIE_END bytes. */
static bool has_rfc_cookie(struct slice in)
{
    return be32(in.p + 4) == 0x2112a442;
}

static bool has_ms_cookie(struct slice in)
{
    static const uint8_t cookie[8] = {0x00, 0x0f, 0x00, 0x04, 0x72, 0xc6, 0x4b, 0xc6};
    return in.n >= HEADER + sizeof cookie && memcmp(in.p + HEADER, cookie, sizeof cookie) == 0 &&
           be16(in.p + 2) >= sizeof cookie;
}

/* Without the RFC's cookie only few types exist, in MS-TURN as in RFC 3489. */
static bool is_plausible_type(struct slice in)
{
    uint16_t type = be16(in.p);
    return has_rfc_cookie(in) || is_classic_type(type) ||
           kind_of(ms_kinds, MS_ROWS, type) != STUN_UNKNOWN;
}

/* Is a whole message at the front? Says BAD as early as the bytes allow. */
static enum wire_result check_header(struct slice in, struct wire_fault *fault)
{
    if (in.n && in.p[0] & 0xc0)
        return wire_bad(fault, "top two bits of the message type are set", 0);
    if (in.n < COOKIE_END)
        return WIRE_MORE;
    if (!is_plausible_type(in))
        return wire_bad(fault, "neither a magic cookie nor a type known without one", 0);
    return in.n < HEADER + (size_t)be16(in.p + 2) ? WIRE_MORE : WIRE_OK;
}

enum wire_result stun_parse(struct slice in, bool strict_end, struct stun_msg *out,
                            struct wire_fault *fault)
{
    enum wire_result r = check_header(in, fault);
    if (r == WIRE_MORE && strict_end)
        return wire_bad(fault, "shorter than the message length says", in.n);
    if (r != WIRE_OK)
        return r;

    uint16_t type = be16(in.p);
    struct slice body = slice_of(in.p + HEADER, be16(in.p + 2));
    bool rfc = has_rfc_cookie(in), ms = has_ms_cookie(in);
    if (strict_end && in.n != HEADER + body.n)
        return wire_bad(fault, "longer than the message length says", HEADER + body.n);
    if (!rfc && !ms && !is_classic_type(type))
        return wire_bad(fault, "no magic cookie", 4);

    /* MS-TURN never pads; checks of MS-ICE, which carry no cookie attribute, may or may not */
    bool padded = !ms && (stun_attr_closes(body, true) || !stun_attr_closes(body, false));
    if (!ms && body.n % 4 && !stun_attr_closes(body, padded))
        return wire_bad(fault, "message length is not a multiple of 4", 2);

    *out = (struct stun_msg){
        .kind = ms ? kind_of(ms_kinds, MS_ROWS, type) : kind_of(rfc_kinds, RFC_ROWS, type),
        .type = type,
        .size = HEADER + body.n,
    };
    memcpy(out->id, in.p + 4, sizeof out->id);
    stun_attr_read(body, padded, ms, out);
    if (ms || out->has & (STUN_HAS_ICE_VERSION | STUN_HAS_FOUNDATION))
        out->dialect = STUN_MS;
    else
        out->dialect = rfc ? STUN_RFC : STUN_CLASSIC;
    return WIRE_OK;
}

bool stun_looks_like(struct slice in, bool datagram)
{
    if (in.n < COOKIE_END || in.p[0] & 0xc0)
        return false;
    size_t length = be16(in.p + 2);
    bool whole = in.n == HEADER + length, rfc = has_rfc_cookie(in);
    if ((datagram && !whole) || !is_plausible_type(in))
        return false;
    if (has_ms_cookie(in) || (rfc && length % 4 == 0))
        return true;
    if (!whole || (!rfc && (length % 4 || !is_classic_type(be16(in.p)))))
        return false;
    struct slice body = slice_of(in.p + HEADER, length);
    return stun_attr_closes(body, true) || stun_attr_closes(body, false);
}

static struct slice without_length(struct slice data)
{
    struct rfc4571_frame frame;
    return rfc4571_parse(data, &frame, NULL) == WIRE_OK && frame.size == data.n ? frame.payload
                                                                                : data;
}

bool stun_looks_nested(struct slice data)
{
    return stun_looks_like(without_length(data), true);
}

bool stun_nested(struct slice data, struct stun_msg *out)
{
    data = without_length(data);
    return stun_looks_like(data, true) && stun_parse(data, true, out, NULL) == WIRE_OK;
}

const char *stun_kind_name(enum stun_kind k)
{
    static const char *const names[STUN_KINDS] = {
        [STUN_BINDING_REQ] = "Binding request",
        [STUN_BINDING_OK] = "Binding response",
        [STUN_BINDING_ERR] = "Binding error",
        [STUN_BINDING_IND] = "Binding indication",
        [STUN_ALLOCATE_REQ] = "Allocate request",
        [STUN_ALLOCATE_OK] = "Allocate response",
        [STUN_ALLOCATE_ERR] = "Allocate error",
        [STUN_REFRESH_REQ] = "Refresh request",
        [STUN_REFRESH_OK] = "Refresh response",
        [STUN_REFRESH_ERR] = "Refresh error",
        [STUN_SEND] = "Send",
        [STUN_DATA] = "Data indication",
        [STUN_PERMISSION_REQ] = "CreatePermission request",
        [STUN_PERMISSION_OK] = "CreatePermission response",
        [STUN_PERMISSION_ERR] = "CreatePermission error",
        [STUN_CHANNEL_REQ] = "ChannelBind request",
        [STUN_CHANNEL_OK] = "ChannelBind response",
        [STUN_CHANNEL_ERR] = "ChannelBind error",
        [STUN_CONNECT_REQ] = "Connect request",
        [STUN_CONNECT_OK] = "Connect response",
        [STUN_CONNECT_ERR] = "Connect error",
        [STUN_CONNBIND_REQ] = "ConnectionBind request",
        [STUN_CONNBIND_OK] = "ConnectionBind response",
        [STUN_CONNBIND_ERR] = "ConnectionBind error",
        [STUN_CONNATTEMPT_IND] = "ConnectionAttempt indication",
        [STUN_ACTIVE_DEST_REQ] = "Set Active Destination request",
        [STUN_ACTIVE_DEST_OK] = "Set Active Destination response",
        [STUN_ACTIVE_DEST_ERR] = "Set Active Destination error",
        [STUN_SHARED_SECRET] = "Shared Secret",
        [STUN_UNKNOWN] = "unknown STUN message",
    };
    return (unsigned)k < STUN_KINDS ? names[k] : names[STUN_UNKNOWN];
}

enum wire_result channel_data_parse(struct slice in, bool stream, struct channel_data *out,
                                    struct wire_fault *fault)
{
    if (in.n && in.p[0] >> 4 != 4)
        return wire_bad(fault, "channel number outside 4000-4FFF", 0);
    size_t length = in.n < CHANNEL_HEADER ? 0 : be16(in.p + 2);
    size_t end = CHANNEL_HEADER + length, padded = (end + 3) & ~(size_t)3;
    if (in.n < (stream ? padded : end))
        return stream ? WIRE_MORE : wire_bad(fault, "shorter than the channel data", in.n);
    if (!stream && in.n > padded)
        return wire_bad(fault, "longer than the channel data", end);
    *out = (struct channel_data){
        .channel = be16(in.p),
        .data = slice_of(in.p + CHANNEL_HEADER, length),
        .size = stream ? padded : in.n,
    };
    return WIRE_OK;
}

/* remote(32) ':' component ':' local(32) ':' component: MS-ICE of 2007, where the 32 bytes are
 * binary and may hold colons themselves. */
static bool is_legacy_username(struct slice u)
{
    return u.n == 69 && u.p[32] == ':' && u.p[34] == ':' && u.p[67] == ':';
}

bool stun_ufrags(struct slice username, struct slice *remote, struct slice *local)
{
    struct slice u = stun_cut_nuls(username);
    if (is_legacy_username(u)) {
        *remote = slice_of(u.p, 32);
        *local = slice_of(u.p + 35, 32);
        return true;
    }
    const uint8_t *colon = u.n ? memchr(u.p, ':', u.n) : NULL;
    if (!colon)
        return false;
    *remote = slice_of(u.p, (size_t)(colon - u.p));
    *local = slice_of(colon + 1, u.n - remote->n - 1);
    return true;
}

/* What goes wrong before there is a pair to try: the client's relay connection, and signaling. */
#include "pcaps/make/samples.h"
#include "pcaps/make/scene.h"

/* A TLS 1.2 record of type `type` holding `n` bytes, with a handshake header if it is one. */
static void put_record(struct buf *b, unsigned type, const void *body, size_t n)
{
    buf_u8(b, type);
    buf_u16(b, 0x0303);
    buf_u16(b, n);
    buf_put(b, body, n);
}

static void put_handshake(struct buf *b, unsigned message, const struct buf *body)
{
    BUF(h, 2048);
    buf_u8(&h, message);
    buf_u8(&h, 0);
    buf_u16(&h, body->n);
    buf_put(&h, body->p, body->n);
    put_record(b, 0x16, h.p, h.n);
}

static void put_server_hello(struct buf *b, uint64_t *random)
{
    BUF(h, 128);
    buf_u16(&h, 0x0303);
    buf_rnd(&h, random, 32);
    buf_u8(&h, 0);
    buf_u16(&h, 0x002f); /* RSA, AES-128-CBC, SHA */
    buf_u8(&h, 0);
    put_handshake(b, 2, &h);
}

/* A certificate message of one entry whose bytes are invented. */
static void put_certificate(struct buf *b, uint64_t *random)
{
    enum { SIZE = 612 };
    BUF(h, 1024);
    buf_u8(&h, 0);
    buf_u16(&h, SIZE + 3);
    buf_u8(&h, 0);
    buf_u16(&h, SIZE);
    buf_put(&h, (const uint8_t[4]){0x30, 0x82, 0x02, 0x60}, 4); /* a DER sequence of 608 bytes */
    buf_put(&h, (const uint8_t[4]){0x04, 0x82, 0x02, 0x5c}, 4); /* of one string of 604 */
    buf_rnd(&h, random, SIZE - 8);
    put_handshake(b, 11, &h);
}

static void put_client_hello(struct buf *b, uint64_t *random)
{
    BUF(h, 128);
    buf_u16(&h, 0x0303);
    buf_rnd(&h, random, 32);
    buf_u8(&h, 0);
    buf_u16(&h, 4);
    buf_u16(&h, 0x002f);
    buf_u16(&h, 0x0035);
    buf_u16(&h, 0x0100);
    put_handshake(b, 1, &h);
}

/* Something on the way terminates what it takes for TLS: hello, certificate, done in three records.
 */
static int64_t inspected(struct scene *s, int64_t at)
{
    at = scene_control(s, at) + MS(50);
    BUF(hello, 128);
    pseudo_tls_hello(&hello, &s->random);
    talk_data(&s->control, 0, at, hello.p, hello.n);
    at += MS(4);
    BUF(answer, 2048);
    put_server_hello(&answer, &s->random);
    put_certificate(&answer, &s->random);
    put_record(&answer, 0x16, "\x0e\0\0\0", 4);
    at = talk_say(&s->control, 1, at, answer.p, answer.n) + MS(12);
    talk_reset(&s->control, 0, at);
    return at;
}

/* Without a relay the offer has host candidates only. */
static int64_t call_without_relay(struct scene *s, int64_t at)
{
    s->relay = (struct endpoint4){0, 0};
    at = scene_invite(s, at + MS(30)) + SEC(3);
    at = scene_answer(s, at) + SEC(12);
    return scene_bye(s, at,
                     "ms-client-diagnostics: 23;reason=\"Call failed to establish due to a media "
                     "connectivity failure when one endpoint is internal and the other is remote\";"
                     "CallerMediaDebug=\"application-sharing:ICEWarn=0x800128,LocalLocation=2,"
                     "RemoteLocation=1,FederationType=1\"\n");
}

static int pseudotls_fail(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    call_without_relay(&s, inspected(&s, s.start));
    return scene_close(&s, dir, sample->files);
}

/* Three clients, one after the other, meet the same device. */
static int tls_inspection(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    for (int i = 0; i < 3; i++) {
        scene_next_call(&s, i);
        inspected(&s, s.start + SEC(20 * i));
    }
    return scene_close(&s, dir, sample->files);
}

/* The Edge opens a TLS connection; the far side's certificate has run out. */
static int expired_certificate(const struct sample *sample, const char *dir, uint16_t port)
{
    enum { FATAL = 2, CERTIFICATE_EXPIRED = 45 };
    struct scene s;
    scene_open(&s, sample->number);
    struct talk k = scene_media(&s);
    k.port[0] = 49812;
    k.port[1] = port;
    int64_t at = talk_open(&k, s.start);
    BUF(hello, 256);
    put_client_hello(&hello, &s.random);
    talk_data(&k, 0, at + MS(1), hello.p, hello.n);
    at += MS(40);
    BUF(answer, 2048);
    put_server_hello(&answer, &s.random);
    put_certificate(&answer, &s.random);
    put_record(&answer, 0x16, "\x0e\0\0\0", 4);
    talk_data(&k, 1, at, answer.p, answer.n);
    BUF(alert, 16);
    put_record(&alert, 0x15, (const uint8_t[2]){FATAL, CERTIFICATE_EXPIRED}, 2);
    talk_data(&k, 0, at + MS(2), alert.p, alert.n);
    talk_close(&k, 0, at + MS(3));
    return scene_close(&s, dir, sample->files);
}

static int tls_fail(const struct sample *sample, const char *dir)
{
    return expired_certificate(sample, dir, 5061);
}

static int web_tls_fail(const struct sample *sample, const char *dir)
{
    return expired_certificate(sample, dir, 443);
}

/* Credentials that the Edge never accepts: every Allocate is challenged again. */
static int alloc_fail(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    int64_t at = scene_control(&s, s.start) + MS(50);
    at = scene_hello(&s, at) + MS(50);
    at = scene_challenge(&s, at) + MS(51);
    for (int i = 0; i < 3; i++)
        at = scene_allocate_error(&s, at, 401, "Unauthorized") + MS(52);
    at = scene_release(&s, at);
    call_without_relay(&s, at);
    return scene_close(&s, dir, sample->files);
}

/* The normal challenge, then one final error. */
static int final_error(const struct sample *sample, const char *dir, unsigned code,
                       const char *text)
{
    struct scene s;
    scene_open(&s, sample->number);
    int64_t at = s.start;
    for (int i = 0; i < 2; i++) {
        scene_next_call(&s, i);
        at = scene_control(&s, at) + MS(50);
        at = scene_hello(&s, at) + MS(50);
        at = scene_challenge(&s, at) + MS(50);
        at = scene_allocate_error(&s, at, code, text) + MS(40);
        at = scene_release(&s, at) + SEC(5);
    }
    return scene_close(&s, dir, sample->files);
}

static int auth_failed(const struct sample *sample, const char *dir)
{
    return final_error(sample, dir, 431, "Integrity Check Failure");
}

static int quota(const struct sample *sample, const char *dir)
{
    return final_error(sample, dir, 486, "Allocation Quota Reached");
}

static int ports_exhausted(const struct sample *sample, const char *dir)
{
    return final_error(sample, dir, 508, "Insufficient Port Capacity");
}

/* Both sides hold relays and have answered, and nobody ever asks for the path. */
static int not_tried(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    int64_t at = scene_relay(&s, s.start) + MS(30);
    at = scene_invite(&s, at) + SEC(3);
    at = scene_answer(&s, at) + SEC(60);
    scene_give_up(&s, at);
    return scene_close(&s, dir, sample->files);
}

#define CLIENT_LEG(verdict, n) "client-relay " verdict " failure $client" n " $edge" n " * *\n"

const struct sample samples_client_leg[] = {
    {.number = 19,
     .name = "verdict-pseudotls-fail",
     .files = "verdict-pseudotls-fail.pcap",
     .shows = "On 443 the hello that only looks like TLS is answered by a TLS server with a "
              "certificate; "
              "the client resets. The call goes on without a relay and fails (diagnostics 23).",
     .expect = CLIENT_LEG("pseudotls-fail", "0"),
     .finding = "tls-inspection-on-443",
     .build = pseudotls_fail},
    {.number = 20,
     .name = "verdict-tls-fail",
     .files = "verdict-tls-fail.pcap",
     .shows =
         "The federation link 10.20.0.40:49812 to 198.51.100.20:5061: TLS hello, certificate, then "
         "our side's fatal alert 45 (certificate expired).",
     .expect = "* tls-fail * 10.20.0.40:49812 198.51.100.20:5061 * *\n",
     .finding = "signaling-tls-failed",
     .build = tls_fail},
    {.number = 47,
     .name = "negative-web-tls-alert",
     .files = "negative-web-tls-alert.pcap",
     .shows = "The same on the way to a web server, 198.51.100.47:443: nobody's relay.",
     .build = web_tls_fail},
    {.number = 21,
     .name = "verdict-alloc-fail",
     .files = "verdict-alloc-fail.pcap",
     .shows =
         "Four Allocate requests, four times 401, no success; the call goes on without a relay.",
     .expect = CLIENT_LEG("alloc-fail", "0"),
     .finding = "relay-auth-failed",
     .build = alloc_fail},
    {.number = 22,
     .name = "verdict-not-tried",
     .files = "verdict-not-tried.pcap",
     .shows = "Both sides offer relays and answer, but in 60 s no Send request and no SYN is seen.",
     .expect = "* not-tried info * * A *\n",
     .build = not_tried},
    {.number = 60,
     .name = "finding-tls-inspection-on-443",
     .files = "finding-tls-inspection-on-443.pcap",
     .shows = "Three clients in a row get a certificate where the Edge would send none.",
     .expect = CLIENT_LEG("pseudotls-fail", "0") CLIENT_LEG("pseudotls-fail", "1")
         CLIENT_LEG("pseudotls-fail", "2"),
     .finding = "tls-inspection-on-443",
     .build = tls_inspection},
    {.number = 64,
     .name = "finding-relay-auth-failed",
     .files = "finding-relay-auth-failed.pcap",
     .shows = "Two clients: 401 as always, then 431 to the authenticated Allocate.",
     .expect = CLIENT_LEG("alloc-fail", "0") CLIENT_LEG("alloc-fail", "1"),
     .finding = "relay-auth-failed",
     .build = auth_failed},
    {.number = 67,
     .name = "finding-relay-quota",
     .files = "finding-relay-quota.pcap",
     .shows = "Two clients: 401 as always, then 486 (quota).",
     .expect = CLIENT_LEG("alloc-fail", "0") CLIENT_LEG("alloc-fail", "1"),
     .finding = "relay-quota",
     .build = quota},
    {.number = 70,
     .name = "finding-relay-ports-exhausted",
     .files = "finding-relay-ports-exhausted.pcap",
     .shows = "Two clients: 401 as always, then 508 (no ports left).",
     .expect = CLIENT_LEG("alloc-fail", "0") CLIENT_LEG("alloc-fail", "1"),
     .finding = "relay-ports-exhausted",
     .build = ports_exhausted},
    {0},
};

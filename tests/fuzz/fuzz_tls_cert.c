/* Certificates: texts end, are printable, and hosts are asked for without harm. */
#include <stdlib.h>

#include "flows/tls_cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void printable(const char *text, size_t room)
{
    size_t n = strnlen(text, room);
    if (n == room)
        abort();
    for (size_t i = 0; i < n; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_cert c;
    if (tls_cert_read(slice_of(data, size), &c)) {
        printable(c.subject, sizeof c.subject);
        printable(c.issuer, sizeof c.issuer);
        printable(c.common, sizeof c.common);
        printable(c.names, sizeof c.names);
    }
    (void)tls_cert_names_host(slice_of(data, size), slice_str("sip.contoso.com"));
    return 0;
}

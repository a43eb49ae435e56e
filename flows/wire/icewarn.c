/*
 * The ICEWarn bits of the client diagnostics header (P§3.4), one sentence each.
 * Not the IceWarningFlags of QoE reports: those number the same events differently.
 */
#include "flows/wire/ms_diag.h"

enum { NORMAL = 1, ODD = 0, BREAKS = 1, HARMLESS = 0 };

/* clang-format off */
const struct icewarn_bit icewarn_bits[] = {
    {0x1, "The media relay could not be reached on 443/TCP or 3478/UDP: the ports are blocked or the service is down.", ODD, BREAKS},
    {0x2, "No relay port could be allocated over UDP; normal where the client's UDP is blocked.", NORMAL, BREAKS},
    {0x4, "Sending to the media relay over UDP failed; normal where UDP is blocked.", NORMAL, BREAKS},
    {0x8, "No relay port could be allocated over TCP: a firewall or proxy stands in front of 443.", ODD, BREAKS},
    {0x10, "Sending to the media relay over TCP failed.", ODD, BREAKS},
    {0x20, "The direct check between the endpoints failed (UDP for audio and video, TCP for sharing and files); normal across NAT.", NORMAL, BREAKS},
    {0x40, "The UDP check through NAT (reflexive addresses) failed; normal behind many NATs.", NORMAL, BREAKS},
    {0x80, "The UDP check through the media relay failed; normal if one side blocks UDP.", NORMAL, BREAKS},
    {0x100, "The TCP check through NAT failed or was not tried; says nothing by itself.", NORMAL, BREAKS},
    {0x200, "The TCP check through the media relay failed, was not tried, or one side has no relay; says nothing if the call connected.", NORMAL, BREAKS},
    {0x400, "A connectivity check arrived with a wrong integrity value: an attack or a software fault.", ODD, BREAKS},
    {0x800, "An allocation answer of the media relay carried a wrong integrity value (meaning inferred from the order of names).", ODD, BREAKS},
    {0x1000, "A bandwidth policy server is in use.", NORMAL, HARMLESS},
    {0x2000, "A check was not sent, for lack of memory or another local error.", ODD, BREAKS},
    {0x4000, "The credentials for the media relay were expired or unknown to it.", ODD, BREAKS},
    {0x8000, "Bandwidth policy took candidates away; normal where a policy is set.", NORMAL, BREAKS},
    {0x10000, "Bandwidth policy lowered the bandwidth; normal where a policy is set.", NORMAL, HARMLESS},
    {0x20000, "The keep-alive to the bandwidth policy server failed.", ODD, HARMLESS},
    {0x40000, "Bandwidth policy refused the path from relay to relay; normal where a policy is set.", NORMAL, BREAKS},
    {0x80000, "No media relay is configured, or its name could not be resolved.", ODD, BREAKS},
    {0x100000, "There are several media relays behind one name (DNS load balancing).", NORMAL, HARMLESS},
    {0x200000, "The client's port range is used up: a call needs 20 ports for audio and video, 3 for sharing or files.", ODD, BREAKS},
    {0x400000, "The media relay named another server to use, mostly because of load.", ODD, BREAKS},
    {0x800000, "The hello that opens relay traffic on 443 was not answered as it must be: a proxy inspects TLS there.", ODD, BREAKS},
    {0x1000000, "An HTTP proxy is configured.", NORMAL, HARMLESS},
    {0x2000000, "The HTTP proxy refused the client's authentication.", ODD, BREAKS},
    {0x4000000, "The TCP check from relay to relay was made and failed: 443/TCP is not open between the Edges, or 50000-59999/TCP toward a 2007 Edge.", ODD, BREAKS},
    {0x8000000, "The chosen path failed after its first packets: security software on the client may alter the traffic.", ODD, BREAKS},
    {0x10000000, "An allocation failed in FIPS mode (meaning inferred from the order of names).", ODD, BREAKS},
};
/* clang-format on */
const unsigned n_icewarn_bits = sizeof icewarn_bits / sizeof *icewarn_bits;

#define UNKNOWN "A warning that is not publicly documented."

const struct icewarn_bit *icewarn_bit(uint32_t bit)
{
    static const struct icewarn_bit unknown[] = {
        {0x20000000, UNKNOWN, ODD, BREAKS},
        {0x40000000, UNKNOWN, ODD, BREAKS},
        {0x80000000, UNKNOWN, ODD, BREAKS},
        {0, UNKNOWN, ODD, BREAKS}, /* not one bit */
    };
    for (unsigned i = 0; i < n_icewarn_bits; i++)
        if (icewarn_bits[i].bit == bit)
            return &icewarn_bits[i];
    unsigned i = 0;
    while (unknown[i].bit && unknown[i].bit != bit)
        i++;
    return &unknown[i];
}

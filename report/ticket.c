/* Rules and settings by finding (P§5.1: the port summary of the Edge; design §11). */
#include "report/ticket.h"

#include <stddef.h>
#include <string.h>

/* In order of code. */
static const struct ticket tickets[] = {
    {"admin-prohibited", "whoever runs the device that sent the ICMP message",
     "The access list on that device for the two addresses and ports above: it forbids them in so "
     "many words. The A/V Edge needs TCP outbound from 50000-59999 and 443/TCP and 3478/UDP both "
     "ways on its outer address."},
    {"client-endpoint-filter", "desktop team",
     "Antivirus, web filter and endpoint firewall of the client: the calling program must be free "
     "to "
     "use TCP 443 and 50000-59999 and UDP 3478 and 50000-59999, without inspection of TCP 443 to "
     "the "
     "Edge."},
    {"conflict-with-endpoint", "nobody yet",
     "Nothing to open. Hold the client's log of that minute against the packets: edgewatch "
     "export."},
    {"connection-table-limit", "own firewall team",
     "The limit of concurrent connections: of the whole device (25,000 is a common default), of "
     "the "
     "rule, and per source address; and the idle timeout that keeps dead sessions in the table. It "
     "must lie above the plateau given here."},
    {"far-side-refuses", "partner's firewall and Edge team",
     "Partner's inbound rule for its relay address: TCP 443, and 50000-59999 where its offers name "
     "such ports, must be allowed from our public Edge address."},
    {"hairpin-missing", "own firewall team",
     "NAT from the inside to the own public address: packets of the A/V Edge to its own public "
     "address "
     "must be turned round, source and destination translated (hairpin NAT, NAT loopback)."},
    {"no-relay-on-peer", "partner's Edge team",
     "The far client got no relay port: 443/TCP and 3478/UDP from that client to its own A/V Edge, "
     "and "
     "the service that hands out relay credentials (5062/TCP on the Edge's inner side)."},
    {"own-outbound-range-blocked", "own firewall team",
     "Outbound rule of the A/V Edge's outer address: allow TCP from source ports 50000-59999 to "
     "any "
     "address, ports 443 and 50000-59999 (and UDP 3478; UDP 50000-59999 towards 2007 partners). "
     "Look "
     "for the rule, application filter or per-source limit that refuses it."},
    {"permission-race", "nobody yet",
     "Nothing to open as long as later calls between the two connect: the relay refused before its "
     "own "
     "client had asked it to let the peer in."},
    {"private-relay-address", "Edge team",
     "The A/V Edge service must know that it stands behind NAT and its public address (Topology "
     "Builder: NAT-enabled public IP address; coturn: external-ip)."},
    {"relay-auth-failed", "Edge team",
     "The service that issues relay credentials (5062/TCP on the Edge's inner side) and its "
     "certificate, the lifetime of tokens (Set-CsAVEdgeConfiguration -MaxTokenLifetime), and the "
     "clocks "
     "of front end, Edge and clients. coturn: realm, lt-cred-mech or use-auth-secret."},
    {"relay-ports-exhausted", "Edge team",
     "The port range of the relay (A/V Edge: 50000-59999 in Topology Builder; coturn: min-port, "
     "max-port), or one more Edge in the pool."},
    {"relay-quota", "Edge team",
     "The relay's limits per user and in all (Set-CsAVEdgeConfiguration -MaxBandwidthPerUserKb; "
     "coturn: user-quota, total-quota), and who held the ports: edgewatch allocations."},
    {"sensor-blind", "whoever runs the sensor",
     "The span port and the sensor: mirror only the Edge's ports, keep to what is needed "
     "(--filter), "
     "give the kernel more buffer (--ring-mb), and look for drops on the switch."},
    {"signaling-tls-failed", "server team",
     "Certificates of both ends (expiry, chain, names) and the TLS versions and ciphers that both "
     "allow; no device may inspect 5061/TCP."},
    {"silent-drop", "own firewall team, then the partner's",
     "A rule that drops instead of rejecting, somewhere on the way: the own outbound rule of the "
     "A/V "
     "Edge (TCP from 50000-59999, UDP 3478) first, then the way back (asymmetric routing, a pair "
     "of "
     "firewalls without common state), then the partner's inbound rule."},
    {"tls-inspection-on-443", "own proxy and firewall team",
     "Exempt the A/V Edge's addresses from TLS inspection on TCP 443, in both directions: it is "
     "relay "
     "traffic that only looks like TLS at its beginning."},
};

const struct ticket *ticket_for(const char *code)
{
    for (size_t i = 0; i < sizeof tickets / sizeof *tickets; i++)
        if (strcmp(tickets[i].code, code) == 0)
            return &tickets[i];
    return NULL;
}

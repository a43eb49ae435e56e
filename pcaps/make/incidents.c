/* The two incidents as cases. */
#include "pcaps/make/samples.h"

#include <stddef.h>

#include "pcaps/make/incident1.h"
#include "pcaps/make/incident2.h"

const struct sample samples_incidents[] = {
    {.name = "incident1",
     .files = "incident1-internal.pcap incident1-external.pcap",
     .shows =
         "Federated desktop sharing refused, no readable signaling: the client 10.98.2.1 allocates "
         "relay 2.2.2.2:58138 at the Edge 10.3.0.34:443 and asks for 1.1.1.1:50704; the Edge's "
         "outer address 10.3.0.40 (2.2.2.2 behind NAT, to be learned) sends three SYNs of one "
         "attempt, each answered by RST. Who sent the resets cannot be told from the packets.",
     .expect = "relay-peer refused failure 10.3.0.40:58138 1.1.1.1:50704 B confirmed\n",
     .build = incident1},
    {.name = "incident1-sip",
     .files = "incident1-sip-internal.pcap incident1-external.pcap",
     .shows =
         "The same with the signaling in clear on the internal span (client 10.98.2.1:51647, front "
         "end 10.10.10.1:5061): INVITE, 200 with diagnostics 51007, BYE with diagnostics 23 "
         "(invented in the shape of the incident's headers). Times of the signaling are Edge time.",
     .expect = "relay-peer refused failure 10.3.0.40:58138 1.1.1.1:50704 A confirmed\n",
     .build = incident1_sip},
    {.name = "incident1-hep",
     .files = "incident1-internal.pcap incident1-external.pcap incident1-hep.pcap",
     .shows = "The first case again, unreadable, beside HEP: the front end's agent (10.10.10.1, "
              "capture id 2001) sends copies of its signaling to a collector, which the span sees.",
     .expect = "relay-peer refused failure 10.3.0.40:58138 1.1.1.1:50704 A confirmed\n",
     .build = incident1_hep},
    {.name = "incident1-logs",
     .shows =
         "No capture: logs of the same call for `edgewatch import`. incident1-excerpt.uccapilog is "
         "what the incident prints of the client's log, doubled lines and elisions included; "
         "incident1-client.uccapilog the whole of it; incident1-edge.sipstack the Edge's server "
         "log, both legs, by the Edge's clock; incident1-fe.sipstack the front end's in the older "
         "style, by a clock one zone east.",
     .build = incident1_logs},
    {.number = 50,
     .name = "incident2",
     .files = "incident2.pcap",
     .shows =
         "Sharing fails on the client itself: its allocation (relay 203.0.113.50:52450) is fine, "
         "it never "
         "sends a Send request, and after 31 s hangs up with diagnostics 24, ICEWarn=0x320, no "
         "RemoteMR. "
         "The far side offers host candidates only. A neighbour's call over the same Edge works.",
     .expect = "* not-tried info * * A *\n",
     .finding = "client-endpoint-filter no-relay-on-peer",
     .build = incident2},
    {0},
};

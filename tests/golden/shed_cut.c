/*
 * shed_cut [-d] [-p PORT] [-r ADDR] IN OUT: a copy of a capture as the kernel would hand it over
 * with load shedding. -d: relay media are dropped, too. Prints "whole cut dropped" packets.
 */
#include "capture/endpoint.h"
#include "capture/shed.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WHOLE = 262144 };

static int copy(pcap_t *in, pcap_dumper_t *out, const struct sock_filter *p)
{
    struct pcap_pkthdr *h;
    const u_char *bytes;
    unsigned counts[3] = {0};
    while (pcap_next_ex(in, &h, &bytes) == 1) {
        uint32_t keep =
            p ? bpf_filter((const struct bpf_insn *)(const void *)p, bytes, h->len, h->caplen)
              : WHOLE;
        struct pcap_pkthdr cut = *h;
        counts[keep == WHOLE ? 0 : keep ? 1 : 2]++;
        if (cut.caplen > keep)
            cut.caplen = keep;
        if (keep)
            pcap_dump((u_char *)out, &cut, bytes);
    }
    printf("%u %u %u\n", counts[0], counts[1], counts[2]);
    return 0;
}

static int run(const struct shed_config *c, char **path)
{
    static struct sock_filter program[SHED_MOST];
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *in = pcap_open_offline(path[0], why);
    if (!in)
        return fprintf(stderr, "%s\n", why), 1;
    struct shed_config own = *c;
    own.linktype = (uint16_t)pcap_datalink(in);
    pcap_dumper_t *out = pcap_dump_open(in, path[1]);
    int bad = !out || copy(in, out, shed_program(&own, program) ? program : NULL);
    if (out)
        pcap_dump_close(out);
    pcap_close(in);
    return bad;
}

int main(int argc, char **argv)
{
    static const uint16_t usual[] = {5060, 5061, 3478, 5349, 443, 80};
    struct shed_config c = {
        .whole = WHOLE, .cut = SHED_CUT, .relay_low = 50000, .relay_high = 59999};
    struct addr a;
    for (unsigned i = 0; i < sizeof usual / sizeof *usual; i++)
        shed_add_port(&c, usual[i]);
    for (int got; (got = getopt(argc, argv, "dp:r:")) != -1;) {
        if (got == 'd')
            c.drops = true;
        else if (got == 'p')
            shed_add_port(&c, (uint16_t)atoi(optarg));
        else if (got == 'r' && addr_parse(slice_str(optarg), &a) && addr_is_v4(&a))
            shed_add_relay(&c, addr_v4_of(&a));
        else if (got == '?')
            return 2;
    }
    return argc - optind == 2 ? run(&c, argv + optind) : 2;
}

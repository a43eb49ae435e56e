/*
 * The yardstick: libpcap reads a capture, and nobody looks at the packets.
 *
 *   usage: loop CAPTURE
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include <pcap/pcap.h>

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *data;
    uint64_t packets = 0, bytes = 0;
    pcap_t *p = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;
    if (!p) {
        fprintf(stderr, "loop: %s\n", argc == 2 ? why : "usage: loop CAPTURE");
        return 1;
    }
    while (pcap_next_ex(p, &header, &data) == 1) {
        packets++;
        bytes += header->len;
    }
    pcap_close(p);
    printf("%" PRIu64 " packets, %" PRIu64 " bytes\n", packets, bytes);
    return 0;
}

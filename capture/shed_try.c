/* libpcap's machine for classic BPF. See shed_try.h. */
#include "capture/shed_try.h"

#include <pcap/pcap.h>
#include <stdio.h>

_Static_assert(sizeof(struct sock_filter) == sizeof(struct bpf_insn), "one layout, two names");

uint32_t shed_try(const struct sock_filter *program, const struct raw_packet *raw)
{
    return bpf_filter((const struct bpf_insn *)(const void *)program, raw->data, raw->len,
                      raw->caplen);
}

char *shed_text(const struct sock_filter *program, unsigned i, char *out, unsigned room)
{
    snprintf(out, room, "%s",
             bpf_image((const struct bpf_insn *)(const void *)&program[i], (int)i));
    return out;
}

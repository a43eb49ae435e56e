/*
 * Runs a command for which the kernel refuses promiscuous mode, as some drivers do: setsockopt()
 * with PACKET_ADD_MEMBERSHIP fails with that error, by a system call filter.
 *
 *   usage: refuse EPERM|EOPNOTSUPP COMMAND [ARGUMENT...]
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: refuse EPERM|EOPNOTSUPP COMMAND [ARGUMENT...]\n");
        return 64;
    }
    uint32_t error = strcmp(argv[1], "EPERM") == 0 ? EPERM : EOPNOTSUPP;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    const struct scmp_arg_cmp joins[] = {
        {.arg = 1, .op = SCMP_CMP_EQ, .datum_a = SOL_PACKET},
        {.arg = 2, .op = SCMP_CMP_EQ, .datum_a = PACKET_ADD_MEMBERSHIP},
    };
    if (!filter ||
        seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(error), SCMP_SYS(setsockopt), 2, joins) !=
            0 ||
        seccomp_load(filter) != 0) {
        fprintf(stderr, "refuse: no system call filter here\n");
        return 77;
    }
    execvp(argv[2], argv + 2);
    fprintf(stderr, "refuse: %s: %s\n", argv[2], strerror(errno));
    return 127;
}

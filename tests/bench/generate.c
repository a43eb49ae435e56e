/*
 * Writes big capture files with known contents, for benchmarks and for the tests that count.
 *
 * usage: generate KIND OUT.pcap [--calls N] [--seed S] [--truth FILE] [--media N]
 *                 [--reorder P] [--loss P] [--dup P] [--midstream P] [--rate R] [--seconds S]
 *
 * KIND  calls          100,000 calls: signaling, MS-TURN, connections between relays, noise
 *       bulk           3,000 calls with much media
 *       mess           2,000 calls, signaling only, with every defect of a bad span port
 *       scan           1,000,000 SYNs of a port scan and one real failure
 *       flood          1,000,000 SYNs in 20 s, and in the midst of them 100 calls of all outcomes
 *       conversations  TCP conversations with overlap, loss, wrap ... and their true bytes
 * (--truth) The same arguments give the same file. P are probabilities, 0 to 1; R calls begin per
 * second, none after S. OUT may be "-".
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "tests/bench/gen.h"

enum { EXIT_USAGE = 64, EXIT_OUTPUT = 73 };

/* Calls per second such that about 12,500 run at once. */
static const double call_rate = 235;

static const int64_t start_time = GEN_S(1355137200); /* 2012-12-10 11:00 UTC */

struct kind {
    const char *name;
    int (*write)(struct gen *);
    struct gen_options opt;
    double reordered, lost, doubled;
};

static const struct kind kinds[] = {
    {"calls", gen_calls, {.pause_s = 2, .calls = 100000, .media = 12, .media_size = 140}, 0, 0, 0},
    {"bulk",
     gen_calls,
     {.calls = 3000, .media = 286, .media_size = 785, .rtp_noise = true},
     0,
     0,
     0},
    {"mess",
     gen_calls,
     {.calls = 2000, .signaling_only = true, .midstream = 0.3},
     0.01,
     0.002,
     0.01},
    {"scan",
     gen_calls,
     {.calls = 1, .only_refused = true, .scan = 1000000, .scan_gap_us = 100, .pause_s = 50},
     0,
     0,
     0},
    {"flood",
     gen_calls,
     {.pause_s = 5,
      .calls = 100,
      .rate = 10,
      .media = 12,
      .media_size = 140,
      .scan = 1000000,
      .scan_servers = 4,
      .scan_gap_us = 20},
     0,
     0,
     0},
    {"conversations", gen_conversations, {.calls = 200}, 0, 0, 0},
};

void truth_total(struct gen *g, const char *name, uint64_t n)
{
    if (g->truth)
        fprintf(g->truth, "total\t%s\t%" PRIu64 "\n", name, n);
    fprintf(stderr, "%-16s %" PRIu64 "\n", name, n);
}

static const struct kind *kind_named(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(name, kinds[i].name))
            return &kinds[i];
    return NULL;
}

static const char *read_options(struct gen *g, int argc, char **argv)
{
    static const struct option names[] = {{"calls", required_argument, NULL, 'c'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"truth", required_argument, NULL, 't'},
                                          {"media", required_argument, NULL, 'm'},
                                          {"reorder", required_argument, NULL, 'r'},
                                          {"loss", required_argument, NULL, 'l'},
                                          {"dup", required_argument, NULL, 'd'},
                                          {"midstream", required_argument, NULL, 'o'},
                                          {"rate", required_argument, NULL, 'R'},
                                          {"seconds", required_argument, NULL, 'S'},
                                          {0}};
    const char *truth = "";
    for (int o; (o = getopt_long(argc, argv, "", names, NULL)) != -1;)
        switch (o) {
        case 'c':
            g->opt.calls = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 's':
            g->opt.seed = strtoull(optarg, NULL, 10);
            break;
        case 't':
            truth = optarg;
            break;
        case 'm':
            g->opt.media = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'r':
            g->out.reordered = strtod(optarg, NULL);
            break;
        case 'l':
            g->out.lost = strtod(optarg, NULL);
            break;
        case 'd':
            g->out.doubled = strtod(optarg, NULL);
            break;
        case 'o':
            g->opt.midstream = strtod(optarg, NULL);
            break;
        case 'R':
            g->opt.rate = strtod(optarg, NULL);
            break;
        case 'S':
            g->opt.seconds = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        default:
            return NULL;
        }
    return g->opt.rate > 0 ? truth : NULL;
}

static int run(struct gen *g, const struct kind *kind, const char *path, const char *truth)
{
    g->random = g->opt.seed * 2 + 1;
    if (*truth && !(g->truth = fopen(truth, "w")))
        return -1;
    if (out_open(&g->out, path, start_time, g->opt.seed ^ 0x5eed))
        return -1;
    int bad = kind->write(g);
    truth_total(g, "packets", g->out.packets);
    truth_total(g, "bytes", g->out.bytes);
    truth_total(g, "flows", g->out.flows);
    bad |= out_close(&g->out);
    if (g->truth)
        bad |= fclose(g->truth);
    return bad;
}

int main(int argc, char **argv)
{
    static struct gen g;
    const struct kind *kind =
        argc > 2 && strncmp(argv[2], "--", 2) != 0 ? kind_named(argv[1]) : NULL;
    const char *truth = NULL;
    if (kind) {
        g.opt = kind->opt;
        if (g.opt.rate <= 0)
            g.opt.rate = call_rate;
        g.out.reordered = kind->reordered;
        g.out.lost = kind->lost;
        g.out.doubled = kind->doubled;
        truth = read_options(&g, argc - 2, argv + 2);
    }
    if (!truth) {
        fprintf(
            stderr,
            "usage: %s calls|bulk|mess|scan|flood|conversations OUT.pcap [--calls N] [--seed S]\n"
            "    [--truth FILE] [--media N] [--reorder P] [--loss P] [--dup P]"
            " [--midstream P] [--rate R] [--seconds S]\n",
            argv[0]);
        return EXIT_USAGE;
    }
    int bad = run(&g, kind, argv[2], truth);
    if (bad)
        fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
    heap_free(&g.heap);
    return bad ? EXIT_OUTPUT : 0;
}

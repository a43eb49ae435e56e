/* Judging a span port by what was seen. One function per question. */
#include "cli/examine.h"

#include <inttypes.h>

/* What makes a share worth a look, or a span port of no use, in percent. */
enum {
    ONE_WAY_LOOK = 5,
    ONE_WAY_BAD = 50,
    ONE_WAY_LEAST = 5, /* conversations: fewer prove nothing */
    DUPLICATES_LOOK = 10,
    DROPS_BAD = 1,
    DAMAGE_LOOK = 1,
};
#define CLOCK_OFF_US 100000 /* other sensors and logs are joined by time */
#define DISK_LOOK_DAYS 30
#define WRITE_LEAST (30 * TICK_S) /* a shorter look says nothing of the rate */

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static double seconds_of(tick_t t)
{
    return (double)t / (double)TICK_S;
}

/* "12.3 MB" */
static const char *size_text(double bytes, char out[32])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    unsigned u = 0;
    for (; bytes >= 1000 && u < 4; u++)
        bytes /= 1000;
    snprintf(out, 32, u ? "%.1f %s" : "%.0f %s", bytes, units[u]);
    return out;
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* ---- the interface ---- */

static void judge_link(const struct examined_iface *f, struct checkup *out)
{
    if (f->gone)
        checkup_add(out, "link", CHECK_BAD, "plug it in again; a running monitor goes on by itself",
                    "%s is gone", f->name);
    else if (!f->link.up || !f->link.running)
        checkup_add(out, "link", CHECK_BAD,
                    f->link.up ? "check the cable and the span session of the switch"
                               : "ip link set dev IF up",
                    "%s is down%s", f->name, f->link.up ? ": no carrier" : "");
    else
        checkup_add(out, "link", CHECK_OK, NULL, "%s is up, MTU %u", f->name, f->link.mtu);
}

static void judge_rights(const struct examined *e, const struct examined_iface *f,
                         struct checkup *out)
{
    if (f->gone)
        return;
    if (!e->promisc)
        checkup_add(
            out, "rights", CHECK_LOOK, "leave --no-promisc away",
            "%s: may capture, not in promiscuous mode: a span port's packets are for others",
            f->name);
    else if (!f->link.promiscuity)
        checkup_add(out, "rights", CHECK_LOOK,
                    "on a virtual machine, the port group of the virtual switch must allow "
                    "promiscuous mode",
                    "%s: may capture, but promiscuous mode is not on", f->name);
    else
        checkup_add(out, "rights", CHECK_OK, NULL, "%s: may capture, promiscuous mode is on",
                    f->name);
}

static void judge_offload(const struct examined *e, const struct examined_iface *f,
                          struct checkup *out)
{
    static const char advice[] =
        "ethtool -K IF gro off lro off: what is captured is then what was on the wire";
    if (*f->merges)
        checkup_add(out, "offload", CHECK_LOOK, advice,
                    "%s merges received packets before they are captured (%s)%s", f->name,
                    f->merges, e->survey.long_frames ? "; merged frames were seen" : "");
    else if (!f->gone)
        checkup_add(out, "offload", CHECK_OK, NULL, "%s merges no packets", f->name);
}

static void judge_drops(const struct examined_iface *f, struct checkup *out)
{
    uint64_t lost = f->kernel_drops + f->nic_drops + f->ring_drops;
    if (!lost) {
        checkup_add(out, "drops", CHECK_OK, NULL, "%s lost no packet of %" PRIu64, f->name,
                    f->packets);
        return;
    }
    const char *advice = f->nic_drops > f->kernel_drops + f->ring_drops
                             ? "ethtool -G IF rx MAX: a longer queue in the card; or less traffic "
                               "on the span port"
                             : "a larger --ring-mb, or a --filter for what is of no interest";
    checkup_add(out, "drops",
                percent(lost, lost + f->packets) >= DROPS_BAD ? CHECK_BAD : CHECK_LOOK, advice,
                "%s lost %" PRIu64 " packets (%.2f %%): %" PRIu64 " in the card, %" PRIu64
                " in the kernel, %" PRIu64 " in our ring",
                f->name, lost, percent(lost, lost + f->packets), f->nic_drops, f->kernel_drops,
                f->ring_drops);
}

static void judge_ring(const struct examined *e, struct checkup *out)
{
    enum { PER_PACKET = 100 }; /* header and alignment in the kernel's ring */
    char size[32];
    double rate = (double)(e->survey.peak_bytes + PER_PACKET * e->survey.peak_frames);
    if (rate == 0)
        return;
    double hold = (double)e->ring_bytes / rate;
    size_text((double)e->ring_bytes, size);
    if (hold < 1)
        checkup_add(out, "ring", CHECK_LOOK, "a larger --ring-mb: it should hold a second",
                    "the kernel buffer (%s) holds %.2f s of the highest rate seen", size, hold);
    else
        checkup_add(out, "ring", CHECK_OK, NULL,
                    "the kernel buffer (%s) holds %s%.0f s of the highest rate seen", size,
                    hold > 60 ? "over " : "", hold > 60 ? 60 : hold);
}

static void judge_interfaces(const struct examined *e, struct checkup *out)
{
    for (unsigned i = 0; i < e->n_ifaces; i++) {
        const struct examined_iface *f = &e->ifaces[i];
        judge_link(f, out);
        judge_rights(e, f, out);
        judge_offload(e, f, out);
        judge_drops(f, out);
        if (!f->packets && !f->gone)
            checkup_add(out, "packets", CHECK_BAD,
                        "check the span session of the switch: is this its destination port?",
                        "%s delivered nothing", f->name);
    }
}

/* ---- the packets ---- */

static void judge_packets(const struct examined *e, struct checkup *out)
{
    const struct survey_facts *s = &e->survey;
    char size[32], peak[32];
    double t = seconds_of(e->seconds);
    if (!s->frames) {
        if (!e->n_ifaces)
            checkup_add(out, "packets", CHECK_BAD, "another capture", "none");
        return;
    }
    checkup_add(out, "packets", CHECK_OK, NULL,
                "%" PRIu64 " in %.1f s, %s in all; busiest second %" PRIu64 " packets, %s",
                s->frames, t, size_text((double)s->bytes, size), s->peak_frames,
                size_text((double)s->peak_bytes, peak));
    if (percent(s->undecoded, s->frames) >= DAMAGE_LOOK)
        checkup_add(out, "damage", CHECK_LOOK,
                    "edgewatch health shows when; look at some of them in Wireshark",
                    "%.1f %% of the packets can't be decoded", percent(s->undecoded, s->frames));
}

static void judge_directions(const struct survey_facts *s, struct checkup *out)
{
    static const char advice[] =
        "mirror both directions (receive and transmit) of the port; with a "
        "tap, give both of its outputs (-i IF1 -i IF2)";
    double one_way = percent(s->one_way, s->talks);
    if (!s->talks) {
        checkup_add(out, "directions", CHECK_LOOK, "look again while people work (--seconds N)",
                    "no TCP conversation was seen that could tell");
        return;
    }
    enum judgement j = s->talks >= ONE_WAY_LEAST && one_way >= ONE_WAY_BAD ? CHECK_BAD
                       : one_way >= ONE_WAY_LOOK                           ? CHECK_LOOK
                                                                           : CHECK_OK;
    checkup_add(out, "directions", j, j == CHECK_OK ? NULL : advice,
                "%" PRIu64 " of %" PRIu64 " TCP conversations were seen both ways, %" PRIu64
                " one way only",
                s->talks - s->one_way, s->talks, s->one_way);
}

static void judge_duplicates(const struct examined *e, struct checkup *out)
{
    double share = percent(e->loss.duplicates, e->survey.frames);
    if (share >= DUPLICATES_LOOK)
        checkup_add(out, "duplicates", CHECK_LOOK,
                    "harmless for the results (a copy counts once), but mirroring a port in one "
                    "place only halves the load",
                    "%.0f %% of the packets came twice", share);
    else
        checkup_add(out, "duplicates", CHECK_OK, NULL, "%.1f %% of the packets came twice", share);
}

static void judge_layers(const struct survey_facts *s, struct checkup *out)
{
    if (s->vlans)
        checkup_add(out, "vlans", CHECK_OK, NULL, "%u VLAN%s (%u%s%.0u) on %.0f %% of the packets",
                    s->vlans, plural(s->vlans), s->vlan_low, s->vlans == 1 ? "" : " to ",
                    s->vlans == 1 ? 0 : s->vlan_high, percent(s->tagged, s->frames));
    else
        checkup_add(out, "vlans", CHECK_OK, NULL, "no VLAN tags");
    if (s->tunneled)
        checkup_add(out, "tunnels", CHECK_OK, NULL, "%.0f %% of the packets came in tunnels",
                    percent(s->tunneled, s->frames));
    else
        checkup_add(out, "tunnels", CHECK_OK, NULL, "none");
}

static void judge_sizes(const struct examined *e, struct checkup *out)
{
    const struct survey_facts *s = &e->survey;
    if (s->cut)
        checkup_add(
            out, "snap length", CHECK_LOOK,
            e->live ? "leave --snaplen away" : "capture with the whole length (-s 0)",
            "%.1f %% of the packets are cut, to %u bytes at most: messages in them can't be "
            "read, connections can",
            percent(s->cut, s->frames), s->cut_to);
    else
        checkup_add(out, "snap length", CHECK_OK, NULL, "every packet is whole");
    if (s->long_frames)
        checkup_add(out, "frame size", CHECK_LOOK,
                    "off: ethtool -K IF gro off lro off tso off gso off, where the packets are "
                    "captured",
                    "%" PRIu64
                    " frames are longer than Ethernet's 1500 bytes (up to %u): merged by "
                    "the capturing machine's network card, or jumbo frames",
                    s->long_frames, s->longest);
}

/* ---- time ---- */

static void judge_steps(const struct survey_facts *s, struct checkup *out)
{
    if (s->steps_back || s->steps_ahead)
        checkup_add(out, "time", CHECK_LOOK,
                    "the clock of the capturing machine was set, or the file holds several "
                    "captures; times of failures are as good as these",
                    "the time of the packets steps back %" PRIu64 " times, ahead by an hour or "
                    "more %" PRIu64 " times; largest step %.1f s",
                    s->steps_back, s->steps_ahead, seconds_of(s->largest_step));
    else if (s->frames)
        checkup_add(out, "time", CHECK_OK, NULL, "packets come in order of time");
}

static void judge_clock(const struct examined *e, struct checkup *out)
{
    static const char advice[] =
        "timedatectl set-ntp true, or chrony: logs and other sensors are joined by time";
    if (!e->live)
        return;
    if (!e->clock_known)
        checkup_add(out, "clock", CHECK_LOOK, advice, "whether it is synchronised is not known");
    else if (!e->clock_synced)
        checkup_add(out, "clock", CHECK_LOOK, advice, "this machine's clock is not synchronised");
    else
        checkup_add(out, "clock", e->clock_error_us > CLOCK_OFF_US ? CHECK_LOOK : CHECK_OK,
                    e->clock_error_us > CLOCK_OFF_US ? advice : NULL,
                    "synchronised, off by %.0f ms at most", (double)e->clock_error_us / 1000);
}

/* ---- what it is all for ---- */

static void judge_sides(const struct examined *e, struct checkup *out)
{
    static const char
        no_clients[] =
            "if clients used the relay in this time, the side of the Edge that faces them is not "
            "mirrored; --edge ADDR names an Edge that stays silent",
        no_peers[] =
            "mirror the external side of the Edge, too, or give its capture as a second one: there "
            "the connections to peers are made that fail";
    unsigned seen = 0;
    for (unsigned i = 0; i < e->n_relays; i++)
        seen += e->relays[i].seen.sent || e->relays[i].seen.received;
    if (!e->granted)
        checkup_add(out, "edge sides", CHECK_LOOK, no_clients,
                    "no relay port was given to a client%s", e->allocations ? " (refused)" : "");
    else if (!seen)
        checkup_add(out, "edge sides", CHECK_LOOK, no_peers,
                    "the side of the clients was seen, the relay's ports towards peers were not");
    else
        checkup_add(out, "edge sides", CHECK_OK, NULL,
                    "both: clients with their relay, and %u of %u relays with their peers", seen,
                    e->n_relays);
}

static void judge_relays(const struct examined *e, struct checkup *out)
{
    for (unsigned i = 0; i < e->n_relays; i++) {
        const struct examined_relay *r = &e->relays[i];
        char public_addr[ADDR_TEXT], wire[ADDR_TEXT];
        addr_text(&r->wire_addr, wire);
        bool other = !addr_none(&r->wire_addr) && !addr_eq(&r->wire_addr, &r->public_addr);
        checkup_add(out, "relay", CHECK_OK, NULL,
                    "%s%s%s, %u port%s given out, %" PRIu64 " packets to and from its ports",
                    addr_text(&r->public_addr, public_addr), other ? ", on the wire " : "",
                    other ? wire : "", r->allocations, plural(r->allocations),
                    r->seen.sent + r->seen.received);
    }
    for (unsigned i = 0; i < e->n_aliases; i++) {
        const struct fact_alias *a = &e->aliases[i];
        char private_addr[ADDR_TEXT], public_addr[ADDR_TEXT];
        addr_text(&a->private_addr, private_addr);
        addr_text(&a->public_addr, public_addr);
        if (a->configured)
            checkup_add(out, "alias", CHECK_OK, NULL, "%s = %s, configured", private_addr,
                        public_addr);
        else
            checkup_add(out, "alias", CHECK_OK, NULL, "%s = %s, learned from %u port%s",
                        private_addr, public_addr, a->ports_seen, plural(a->ports_seen));
    }
}

static void judge_signaling(const struct examined *e, struct checkup *out)
{
    const struct engine_counts *c = &e->loss.engine;
    if (c->sip_messages)
        checkup_add(out, "signaling", CHECK_OK, NULL,
                    "readable: %" PRIu64 " SIP message%s, %" PRIu64 " call%s, %" PRIu64
                    " candidate%s (grade A)",
                    c->sip_messages, plural(c->sip_messages), c->calls, plural(c->calls),
                    c->sdp_candidates, plural(c->sdp_candidates));
    else
        checkup_add(out, "signaling", CHECK_LOOK,
                    "failures are found without it through the relay protocol (grade B); plain SIP "
                    "or keys add who called whom and which candidates they had",
                    "no readable SIP message");
    if (c->compressed)
        checkup_add(out, "compressed", c->compressed_unread ? CHECK_LOOK : CHECK_OK,
                    c->compressed_unread ? "import the logs of their clients: this compression is "
                                           "read only where its header can be worked out"
                                         : NULL,
                    "%" PRIu64 " SIP connection%s compressed (MS-SIPCOMP), %" PRIu64 " unread",
                    c->compressed, plural(c->compressed), c->compressed_unread);
    if (e->tls_listed) /* each of them has a line: doctor_tls.c */
        return;
    if (c->unreadable_tls)
        checkup_add(out, "tls", CHECK_OK, NULL,
                    "%" PRIu64 " TLS connection%s, none of signaling or relay control as far as "
                    "ports, names and keys tell",
                    c->unreadable_tls, plural(c->unreadable_tls));
    else
        checkup_add(out, "tls", CHECK_OK, NULL, "no TLS connection");
}

static void judge_engine(const struct examined *e, struct checkup *out)
{
    const struct engine_counts *c = &e->loss.engine;
    if (c->stream_gaps)
        checkup_add(out, "gaps", CHECK_LOOK,
                    "packets are missing that no counter here knows of: the switch or tap lost "
                    "them; less traffic on the span session, or a tap",
                    "%" PRIu64 " gap%s in streams that the receiver did not have", c->stream_gaps,
                    plural(c->stream_gaps));
    else
        checkup_add(out, "gaps", CHECK_OK, NULL, "no gaps in what was read");
    checkup_add(out, "found", CHECK_OK, NULL,
                "%" PRIu64 " connection attempt%s, %" PRIu64 " failed; %" PRIu64
                " failure%s between negotiated ends",
                c->attempts, plural(c->attempts), c->failed_attempts, c->failures,
                plural(c->failures));
}

static void judge_shedding(const struct examined *e, struct checkup *out)
{
    char above[96] = "";
    if (e->shed_off)
        checkup_add(out, "shedding", CHECK_OK, NULL, "off: every packet is kept whole");
    if (e->shed_off || !e->shed_tried)
        return;
    if (e->shed_above)
        snprintf(above, sizeof above, "; %.1f %% would be dropped beyond %" PRIu64 " packets/s",
                 percent(e->shed_media, e->shed_tried), e->shed_above);
    checkup_add(out, "shedding", CHECK_OK, NULL,
                "a monitor keeps %.1f %% of the packets whole and %.1f %% cut to 128 bytes%s",
                percent(e->shed_whole, e->shed_tried),
                percent(e->shed_tried - e->shed_whole, e->shed_tried), above);
}

static void judge_disk(const struct examined *e, struct checkup *out)
{
    char free[32], rate[32];
    if (!e->disk_known)
        return;
    double t = seconds_of(e->seconds);
    double daily = t > 0 ? (double)e->written / t * 86400 : 0;
    double days = daily > 0 ? (double)e->disk_free / daily : 1e9;
    size_text((double)e->disk_free, free);
    if (e->seconds < WRITE_LEAST || daily == 0)
        checkup_add(out, "disk", CHECK_OK, NULL, "%s free for %s", free, e->db);
    else
        checkup_add(out, "disk", days < DISK_LOOK_DAYS ? CHECK_LOOK : CHECK_OK,
                    days < DISK_LOOK_DAYS ? "a larger disk, or remove old rows" : NULL,
                    "%s free for %s; at this rate it grows by %s a day", free, e->db,
                    size_text(daily, rate));
}

void examine(const struct examined *e, struct checkup *out)
{
    *out = (struct checkup){.n = 0};
    judge_interfaces(e, out);
    judge_packets(e, out);
    if (e->damage)
        checkup_add(out, "file", CHECK_BAD, "what comes before the damage is counted here", "%s",
                    e->damage);
    if (!e->survey.frames)
        return;
    judge_directions(&e->survey, out);
    judge_sides(e, out);
    judge_relays(e, out);
    judge_signaling(e, out);
    judge_engine(e, out);
    judge_duplicates(e, out);
    judge_layers(&e->survey, out);
    judge_sizes(e, out);
    judge_steps(&e->survey, out);
    judge_clock(e, out);
    if (e->live)
        judge_ring(e, out);
    judge_shedding(e, out);
    judge_disk(e, out);
}

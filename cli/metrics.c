/* Figures as text in Prometheus' exposition format, version 0.0.4. */
#include "cli/metrics.h"

#include "flows/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef EW_VERSION
#define EW_VERSION "unknown"
#endif

static void head(FILE *out, const char *name, const char *kind, const char *help)
{
    fprintf(out, "# HELP edgewatch_%s %s\n# TYPE edgewatch_%s %s\n", name, help, name, kind);
}

/* A label's value: backslash, quote and line end are escaped, other control characters left out. */
static void label(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            fputc('\\', out);
        if ((unsigned char)*text >= ' ' && *text != 0x7f)
            fputc(*text, out);
    }
}

/* ---- by interface ---- */

struct by_interface {
    struct source_counts source;
    struct iface_counts iface;
};

#define OF(group, field) offsetof(struct by_interface, group.field)

static const struct {
    const char *name, *help;
    size_t at;
} by_interface[] = {
    {"packets_total", "Packets (feeds: messages) that the engine took from this source.",
     OF(iface, packets)},
    {"bytes_total", "Their bytes as they were on the wire.", OF(iface, bytes)},
    {"kernel_drops_total", "Dropped by the kernel for want of room.", OF(source, kernel_drops)},
    {"nic_drops_total", "Dropped by the network card or its driver.", OF(source, nic_drops)},
    {"ring_drops_total", "Dropped because our ring was full (feeds: or over their rate).",
     OF(source, ring_drops)},
    {"decode_errors_total", "Damaged, or no message of this feed.", OF(iface, decode_errors)},
    {"duplicates_total", "Seen before: copies of span ports.", OF(iface, duplicates)},
    {"not_ip_packets_total", "Fine, but not of a kind that is followed.", OF(iface, not_ip)},
    {"unknown_link_packets_total", "Of a link type that can't be read.", OF(iface, no_link)},
    {"fragments_total", "Pieces of a datagram but the last.", OF(iface, fragments)},
    {"handled_packets_total", "Followed to the end: what is left of packets_total.",
     OF(iface, handled)},
    {"shed_cut_packets_total", "Cut to 128 bytes by load shedding.", OF(source, shed_cut)},
    {"shed_dropped_packets_total", "Relay media dropped by load shedding, not in packets_total.",
     OF(source, shed_dropped)},
};

static void put_interfaces(FILE *out, const struct metrics_view *v)
{
    unsigned n = sources_iface_count(v->sources);
    for (size_t i = 0; i < sizeof by_interface / sizeof *by_interface; i++) {
        head(out, by_interface[i].name, "counter", by_interface[i].help);
        for (unsigned k = 0; k < n; k++) {
            struct by_interface c;
            uint64_t value;
            sources_iface_counts(v->sources, k, &c.source);
            pipeline_iface_counts(v->pipeline, k, &c.iface);
            memcpy(&value, (const char *)&c + by_interface[i].at, sizeof value);
            fprintf(out, "edgewatch_%s{interface=\"", by_interface[i].name);
            label(out, sources_iface_name(v->sources, k));
            fprintf(out, "\"} %" PRIu64 "\n", value);
        }
    }
}

/* ---- of the engine ---- */

#define AT(field) offsetof(struct engine_counts, field)

static const struct {
    const char *name, *help;
    size_t at;
} of_engine[] = {
    {"table_evictions_total", "Entries of full tables that made room.", AT(table_evictions)},
    {"stream_gaps_total", "Gaps in streams that were read.", AT(stream_gaps)},
    {"one_way_flows_total", "Connections of which one direction was seen.", AT(one_way_flows)},
    {"aggregated_attempts_total", "Attempts that were only counted.", AT(aggregated)},
    {"tracker_attempts_total", "Connection attempts decided by the tracker.", AT(attempts)},
    {"tracker_failed_attempts_total", "Of these, failed.", AT(failed_attempts)},
    {"feeder_streams_total", "Streams that were read.", AT(streams)},
    {"feeder_direct_segments_total", "TCP segments read in order, from the packet itself.",
     AT(direct_segments)},
    {"feeder_collected_segments_total",
     "TCP segments in order whose message began in the one before.", AT(collected_segments)},
    {"nids_segments_total", "TCP segments that libnids put in order.", AT(nids_segments)},
    {"nids_warnings_total", "Complaints of libnids.", AT(nids_warnings)},
    {"sip_messages_total", "SIP messages parsed, from whatever source.", AT(sip_messages)},
    {"stun_messages_total", "STUN and TURN messages parsed.", AT(stun_messages)},
    {"sdp_bodies_total", "SDP bodies parsed.", AT(sdp_bodies)},
    {"sdp_candidates_total", "Candidates in them.", AT(sdp_candidates)},
    {"tls_streams_total", "TLS streams that were not read.", AT(unreadable_tls)},
    {"feed_messages_total", "HEP and SDN messages.", AT(feed_messages)},
    {"feed_sip_total", "Of these, handed on as SIP.", AT(feed_sip)},
    {"feed_bad_total", "Damaged ones, and garbage on feeds.", AT(feed_bad)},
    {"calls_total", "Calls seen.", AT(calls)},
    {"allocations_total", "Relay allocations seen.", AT(allocations)},
    {"joiner_failures_total", "Failures that the joiner told, some taken back later.",
     AT(failures)},
};

static void put_engine(FILE *out, const struct metrics_view *v)
{
    struct engine_counts c;
    pipeline_counts(v->pipeline, &c);
    for (size_t i = 0; i < sizeof of_engine / sizeof *of_engine; i++) {
        uint64_t value;
        memcpy(&value, (const char *)&c + of_engine[i].at, sizeof value);
        head(out, of_engine[i].name, "counter", of_engine[i].help);
        fprintf(out, "edgewatch_%s %" PRIu64 "\n", of_engine[i].name, value);
    }
}

static void put_one(FILE *out, const char *name, const char *kind, const char *help, uint64_t value)
{
    head(out, name, kind, help);
    fprintf(out, "edgewatch_%s %" PRIu64 "\n", name, value);
}

static void put_failures(FILE *out, const struct tally *t)
{
    static const char name[] = "failures";
    head(out, name, "gauge", "Failures of this run as they are judged now.");
    for (unsigned i = 0; i < VERDICTS; i++) {
        const char *verdict = verdict_name((enum verdict)i);
        fprintf(out, "edgewatch_%s{verdict=\"%s\",severity=\"failure\"} %" PRIu64 "\n", name,
                verdict, t->counts[i]);
        fprintf(out, "edgewatch_%s{verdict=\"%s\",severity=\"info\"} %" PRIu64 "\n", name, verdict,
                t->counts[i | TALLY_INFO]);
    }
}

static void put_packet_time(FILE *out, const struct metrics_view *v)
{
    tick_t first, last;
    pipeline_span(v->pipeline, &first, &last);
    if (last == TICK_NONE)
        return;
    head(out, "last_packet_time_seconds", "gauge", "Time of the latest packet, since 1970.");
    fprintf(out, "edgewatch_last_packet_time_seconds %.6f\n", (double)(last / TICK_US) / 1e6);
}

char *metrics_text(const struct metrics_view *v)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        return NULL;
    head(out, "info", "gauge", "Which edgewatch this is.");
    fputs("edgewatch_info{version=\"" EW_VERSION "\",sensor=\"", out);
    label(out, v->sensor);
    fputs("\"} 1\n", out);
    put_interfaces(out, v);
    put_engine(out, v);
    put_failures(out, v->tally);
    put_packet_time(out, v);
    put_one(out, "queue_lost_total", "counter", "Records lost before the database.",
            writer_lost(v->writer));
    put_one(out, "database_waits", "gauge", "1 while the database can't be written.",
            v->database_waits);
    put_one(out, "notices_told_total", "counter", "Failures told to the journal or the command.",
            v->notices_told);
    put_one(out, "notices_limited_total", "counter",
            "Failures for which the command was not run: over its rate.", v->notices_limited);
    put_one(out, "notices_lost_total", "counter",
            "Failures for which the command was not run: it is stuck or cannot be started.",
            v->notices_lost);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

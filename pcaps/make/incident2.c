/*
 * Incident 2: sharing fails with ICEWarn=0x320 because a program on the client eats the traffic.
 * The header has the shape of the incident's with the masked addresses invented; the far side has
 * no relay (no RemoteMR); the allocation is fine; no Send request ever comes; nothing is wrong
 * outside. The signaling connection was there before the capture.
 */
#include "pcaps/make/incident2.h"

#include "pcaps/make/scene.h"

/* Another client of the same Edge, whose call works: the outside is healthy. */
static void healthy_neighbour(struct scene *s)
{
    scene_next_call(s, 1);
    int64_t at = scene_relay(s, s->start + SEC(8)) + MS(30);
    at = scene_send(s, at + SEC(2)) + MS(300);
    struct talk k = scene_media(s);
    at = scene_use(s, &k, talk_open(&k, at) + MS(10));
    scene_release(s, at + SEC(1));
}

int incident2(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    healthy_neighbour(&s);
    scene_next_call(&s, 0);
    s.far_has_relay = false;
    s.far_host = endpoint4("192.168.20.203:50045");
    scene_signaling_was_open(&s);
    int64_t at = scene_relay(&s, s.start) + MS(30);
    at = scene_invite(&s, at) + SEC(4);
    at = scene_answer(&s, at) + SEC(31);
    at = scene_bye(
        &s, at,
        "ms-client-diagnostics: 24; reason= \"Call failed to establish due to a media "
        "connectivity failure when both endpoints are remote\" ;"
        "CallerMediaDebug=\"application-sharing:ICEWarn=0x320,LocalSite=10.50.2.1:50040,"
        "LocalMR=203.0.113.50:52450,RemoteSite=192.168.20.203:50045,PortRange=50040:50049,"
        "LocalMRTCPPort=52450,LocalLocation=1,RemoteLocation=1,FederationType=0\"\n");
    scene_release(&s, at + MS(50));
    return scene_close(&s, dir, sample->files);
}

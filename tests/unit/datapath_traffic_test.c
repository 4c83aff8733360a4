// SPDX-License-Identifier: Apache-2.0
// Echoes at random over every datapath: clients write and read, the server stops, restarts and
// moves streams between two instances, and every byte must come back in its place.
#include "datapath_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { TRAFFIC_CLIENTS = 12, TRAFFIC_LEN = 300000 };

struct traffic {
    struct rig rigs[2];
    struct client *clients[TRAFFIC_CLIENTS];
    size_t written[TRAFFIC_CLIENTS], read[TRAFFIC_CLIENTS];
    uint8_t *bytes; // what each client sends, from a place of its own on
    unsigned seed;
};

static unsigned traffic_draw(struct traffic *traffic, unsigned below)
{
    traffic->seed = traffic->seed * 1103515245 + 12345;
    return (traffic->seed >> 8) % below;
}

static size_t traffic_read(struct traffic *traffic, unsigned i)
{
    uint8_t buf[20000];
    ssize_t len = client_read(traffic->clients[i], buf, 1 + traffic_draw(traffic, sizeof buf));
    assert_true(len >= 0);
    assert_memory_equal(buf, traffic->bytes + i + traffic->read[i], (size_t)len);
    traffic->read[i] += (size_t)len;
    return (size_t)len;
}

static struct session *traffic_session(struct traffic *traffic, struct rig *rig)
{
    struct session *session = rig->sessions;
    for (unsigned skip = traffic_draw(traffic, TRAFFIC_CLIENTS); session && skip--;)
        session = session->next;
    return session;
}

static void traffic_move(struct traffic *traffic, struct rig *from, struct rig *to)
{
    struct session *session = traffic_session(traffic, from);
    unsigned detaches = from->detaches, adoptions = to->adoptions;
    if (!session || session->waiting || session->out_len || session->later_len)
        return;
    from->dp->ops->detach(from->dp, session->stream);
    while (from->detaches == detaches)
        rig_turn(from);
    uint8_t *early = malloc(from->handle_data_len + 1);
    memcpy(early, from->handle_data, from->handle_data_len);
    assert_int_equal(to->dp->ops->adopt(to->dp, from->handle, NULL), 0);
    while (to->adoptions == adoptions)
        rig_turn(to);
    if (from->handle_data_len)
        session_send(to, to->last, early, from->handle_data_len);
    free(early);
}

static void traffic_step(struct traffic *traffic)
{
    struct rig *rig = &traffic->rigs[traffic_draw(traffic, 2)];
    struct rig *other = &traffic->rigs[rig == traffic->rigs];
    unsigned i = traffic_draw(traffic, TRAFFIC_CLIENTS);
    struct session *session = traffic_session(traffic, rig);
    size_t len = 1 + traffic_draw(traffic, traffic_draw(traffic, 3) ? 200 : 30000);
    switch (traffic_draw(traffic, 12)) {
    case 0:
        if (session)
            rig->dp->ops->want(rig->dp, session->stream, false);
        break;
    case 1:
    case 2:
        if (session)
            rig->dp->ops->want(rig->dp, session->stream, true);
        break;
    case 3:
        traffic_move(traffic, rig, other);
        break;
    case 4:
    case 5:
    case 6:
        if (len > TRAFFIC_LEN - traffic->written[i])
            len = TRAFFIC_LEN - traffic->written[i];
        if (len)
            traffic->written[i] +=
                client_write(traffic->clients[i], traffic->bytes + i + traffic->written[i], len);
        break;
    case 7:
        traffic_read(traffic, i);
        break;
    default:
        rig_turn(rig);
    }
}

static size_t traffic_left(const struct traffic *traffic)
{
    size_t left = 0;
    for (unsigned i = 0; i < TRAFFIC_CLIENTS; i++)
        left += traffic->written[i] - traffic->read[i];
    return left;
}

static void traffic_between(const struct backend *one, const struct backend *other)
{
    static struct traffic traffic;
    for (unsigned round = 0; round < 2; round++) {
        struct zn_dp_config config = { .streams_max = 100, .recv_size = round % 2 ? 777 : 0 };
        traffic = (struct traffic){ .seed = round };
        traffic.bytes = pattern_new(TRAFFIC_LEN + TRAFFIC_CLIENTS);
        rig_open(&traffic.rigs[0], one, &config);
        rig_open(&traffic.rigs[1], other, &config);
        for (unsigned i = 0; i < TRAFFIC_CLIENTS; i++)
            traffic.clients[i] = client_greeted(&traffic.rigs[i % 2]);
        for (int step = 0; step < 3000; step++)
            traffic_step(&traffic);
        for (int i = 0; i < 2; i++) {
            struct rig *rig = &traffic.rigs[i];
            for (struct session *session = rig->sessions; session; session = session->next)
                rig->dp->ops->want(rig->dp, session->stream, true);
        }
        // Windows that were shut may take the kernel's probes to open.
        for (int turn = 0; turn < 2000 && traffic_left(&traffic); turn++) {
            for (unsigned i = 0; i < TRAFFIC_CLIENTS; i++)
                traffic_read(&traffic, i);
            rig_turn(&traffic.rigs[0]);
            rig_turn(&traffic.rigs[1]);
        }
        for (unsigned i = 0; i < TRAFFIC_CLIENTS; i++) {
            assert_int_equal(traffic.read[i], traffic.written[i]);
            client_free(traffic.clients[i]);
        }
        rig_settle(&traffic.rigs[0]);
        rig_settle(&traffic.rigs[1]);
        assert_int_equal(traffic.rigs[0].sessions_len + traffic.rigs[1].sessions_len, 0);
        rig_close(&traffic.rigs[0]);
        rig_close(&traffic.rigs[1]);
        free(traffic.bytes);
    }
}

static void traffic_at_random_keeps_every_byte(void **state)
{
    traffic_between(*state, *state);
}

// epoll and io_uring take each other's streams.
static void traffic_across_kinds_keeps_every_byte(void **state)
{
    const struct backend *backend = *state;
    if (backend->ops == &zn_dp_mem || backend->ops == &zn_dp_mem_async)
        return;
    struct backend other = *backend;
    other.ops = backend->ops == &zn_dp_epoll ? &zn_dp_uring : &zn_dp_epoll;
    traffic_between(backend, &other);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        { "traffic_at_random_keeps_every_byte", traffic_at_random_keeps_every_byte },
        { "traffic_across_kinds_keeps_every_byte", traffic_across_kinds_keeps_every_byte },
    };
    return rig_run(scenarios, 2, argc, argv);
}

// SPDX-License-Identifier: Apache-2.0
// The datapath table's contract, the same scenarios over every back end: instances, their
// listeners and turns, and streams that move.
#include "datapath_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void accept_one_client_shows_peer(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_open(&rig);
    rig_settle(&rig);
    assert_int_equal(rig.accepts, 1);
    struct sockaddr_in *peer = (struct sockaddr_in *)&rig.peer, own = { 0 };
    socklen_t own_len = sizeof own;
    assert_int_equal(peer->sin_family, AF_INET);
    assert_int_equal(peer->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    if (client->fd >= 0) {
        getsockname(client->fd, (struct sockaddr *)&own, &own_len);
        assert_int_equal(peer->sin_port, own.sin_port);
    }
    client_free(client);
    rig_settle(&rig);
    assert_int_equal(rig.sessions_len, 0);
    rig_close(&rig);
}

static void adopt_after_detach_keeps_bytes_in_flight(void **state)
{
    struct rig from, to;
    rig_open(&from, *state, &plain_config);
    rig_open(&to, *state, &plain_config);
    struct client *client = client_greeted(&from);
    from.mute = true;
    for (int round = 0; round < 3; round++) {
        struct rig *one = round % 2 ? &to : &from, *other = round % 2 ? &from : &to;
        one->dp->ops->detach(one->dp, one->last->stream);
        assert_int_equal(client_write(client, "two ", 4), 4);
        for (int i = 0; i < 1000 && one->detaches < 1u + (unsigned)round / 2; i++)
            rig_turn(one);
        assert_int_equal(one->sessions_len, 0);
        assert_int_equal(client_write(client, "three ", 6), 6);
        size_t before = other->received;
        int cookie;
        assert_int_equal(other->dp->ops->adopt(other->dp, one->handle, &cookie), 0);
        other->mute = true;
        rig_settle(other);
        assert_int_equal(other->adoptions, 1 + round / 2);
        assert_ptr_equal(other->cookie, &cookie);
        assert_int_equal(one->handle_data_len + other->received - before, 10);
    }
    client->rig = &to;
    session_send(&to, to.last, "done", 4);
    client_expect_text(client, "done");
    client_free(client);
    rig_settle(&to);
    assert_int_equal(to.sessions_len, 0);
    rig_close(&from);
    rig_close(&to);
}

static void adopt_after_eof_gives_eof_again(void **state)
{
    struct rig from, to;
    rig_open(&from, *state, &plain_config);
    rig_open(&to, *state, &plain_config);
    from.keep = true;
    struct client *client = client_greeted(&from);
    client_fin(client);
    rig_settle(&from);
    assert_int_equal(from.last->eofs, 1);
    from.dp->ops->detach(from.dp, from.last->stream);
    rig_settle(&from);
    assert_int_equal(from.detaches, 1);
    assert_int_equal(to.dp->ops->adopt(to.dp, from.handle, NULL), 0);
    rig_settle(&to);
    assert_int_equal(to.ends, 1);
    client->rig = &to;
    client_expect_end(client, -EPIPE);
    client_free(client);
    rig_close(&from);
    rig_close(&to);
}

static void drop_of_handle_ends_connection(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    rig.dp->ops->detach(rig.dp, rig.last->stream);
    rig_settle(&rig);
    assert_int_equal(rig.detaches, 1);
    rig.handle.drop(&rig.handle);
    uint8_t byte;
    assert_true(client_expect(client, &byte, 1) < 0);
    client_free(client);
    rig_close(&rig);
}

static void adopt_unannounced_is_freed_by_close(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    rig.dp->ops->detach(rig.dp, rig.last->stream);
    rig_settle(&rig);
    assert_int_equal(rig.detaches, 1);
    assert_int_equal(rig.dp->ops->adopt(rig.dp, rig.handle, NULL), 0);
    rig_close(&rig);
    client_free(client);
}

static void streams_beyond_maximum_wait(void **state)
{
    struct zn_dp_config config = { .streams_max = 4 };
    struct rig rig;
    rig_open(&rig, *state, &config);
    struct client *clients[7];
    for (int i = 0; i < 7; i++)
        clients[i] = client_open(&rig);
    rig_settle(&rig);
    assert_int_equal(rig.accepts, 4);
    session_end(&rig, rig.last, ZN_END_RESET);
    session_end(&rig, rig.sessions, ZN_END_RESET);
    rig_settle(&rig);
    assert_int_equal(rig.accepts, 6);
    while (rig.sessions)
        session_end(&rig, rig.sessions, ZN_END_RESET);
    rig_settle(&rig);
    assert_int_equal(rig.accepts, 7);
    for (int i = 0; i < 7; i++)
        client_free(clients[i]);
    rig_close(&rig);
}

// Running out of descriptors must neither spin nor stop accepting for good.
static void accept_without_descriptors_pauses_and_resumes(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *first = client_greeted(&rig);
    if (first->mem) { // it has none to run out of
        client_free(first);
        rig_close(&rig);
        return;
    }
    struct client *client = client_open(&rig);
    struct rlimit limit, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = (rlim_t)client->fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    unsigned turns = 0;
    uint64_t start_ns = rig.dp->now_ns;
    for (; rig.dp->now_ns - start_ns < 250000000; turns++)
        rig_turn(&rig);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(rig.accepts, 1);
    assert_in_range(rig.dp->accept_pauses, 1, 4);
    assert_true(turns < 300);
    for (int i = 0; i < 300 && rig.accepts < 2; i++)
        rig_turn(&rig);
    assert_int_equal(rig.accepts, 2);
    client_free(first);
    client_free(client);
    rig_close(&rig);
}

static void churn_of_streams_leaves_none(void **state)
{
    const struct backend *backend = *state;
    struct rig rig;
    rig_open(&rig, backend, &plain_config);
    int rounds = backend->tls ? 6 : 100;
    for (int round = 0; round < rounds; round++) {
        struct client *clients[100];
        for (int i = 0; i < 100; i++) {
            clients[i] = client_open(&rig);
            if (i % 5)
                client_write(clients[i], "hello", 5);
            if (i % 10 == 0)
                rig_turn(&rig);
        }
        if (round % 2)
            rig_settle(&rig);
        for (int i = 0; i < 100; i++) {
            if (i % 3 == 0)
                client_fin(clients[i]);
            else if (i % 3 == 1)
                client_reset(clients[i]);
            if (i % 7 == 0 && rig.sessions)
                session_end(&rig, rig.sessions, i % 2 ? ZN_END_RELEASE : ZN_END_RESET);
            if (i % 4)
                rig_turn(&rig);
            client_free(clients[i]);
        }
    }
    for (int i = 0; i < 2000 && (rig.accepts < 100u * (unsigned)rounds || rig.sessions_len); i++)
        rig_turn(&rig);
    assert_int_equal(rig.sessions_len, 0);
    rig_close(&rig);
}

static void close_with_live_streams_frees_them(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *clients[10];
    for (int i = 0; i < 10; i++)
        clients[i] = i % 2 ? client_greeted(&rig) : client_open(&rig);
    rig_settle(&rig);
    session_end(&rig, rig.last, ZN_END_RELEASE);
    for (struct session *session = rig.sessions; session; session = session->next)
        free(session->out);
    rig.sessions = NULL; // so that the instance has to end them
    rig_close(&rig);
    uint8_t byte;
    ssize_t end = 0;
    for (int i = 0; i < 1000 && !end; i++)
        end = client_read(clients[1], &byte, 1);
    assert_true(end < 0);
    for (int i = 0; i < 10; i++)
        client_free(clients[i]);
}

static void listen_with_null_stops_accepting(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    assert_int_equal(rig.dp->ops->listen(rig.dp, NULL, 0, NULL), 0);
    rig_settle(&rig);
    if (client->mem) {
        struct client *late = client_open(&rig);
        client_expect_end(late, -ECONNRESET);
        client_free(late);
    } else {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&rig.address, sizeof rig.address), -1);
        close(fd);
    }
    assert_int_equal(client_write(client, "still", 5), 5);
    client_expect_text(client, "still");
    client_free(client);
    rig_close(&rig);
}

static void *wake_later(void *argument)
{
    struct zn_dp *dp = argument;
    for (int i = 0; i < 20; i++) {
        nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
        dp->ops->wake(dp);
    }
    return NULL;
}

static void wake_from_other_thread_ends_waiting(void **state)
{
    struct rig rig;
    struct zn_dp_event events[4];
    pthread_t thread;
    rig_open(&rig, *state, &plain_config);
    uint64_t start_ns = rig.dp->now_ns;
    assert_int_equal(pthread_create(&thread, NULL, wake_later, rig.dp), 0);
    assert_int_equal(rig.dp->ops->poll(rig.dp, events, 4, UINT64_MAX), 0);
    if (!rig_in_memory(&rig))
        assert_true(rig.dp->now_ns - start_ns >= 1000000);
    pthread_join(thread, NULL);
    assert_int_equal(rig.dp->ops->poll(rig.dp, events, 4, UINT64_MAX), 0);
    rig_close(&rig);
}

static void poll_without_events_waits_its_timeout(void **state)
{
    struct rig rig;
    struct zn_dp_event events[4];
    rig_open(&rig, *state, &plain_config);
    rig_settle(&rig);
    uint64_t start_ns = rig.dp->now_ns;
    assert_int_equal(rig.dp->ops->poll(rig.dp, events, 4, 20500000), 0);
    uint64_t waited_ns = rig.dp->now_ns - start_ns;
    if (rig_in_memory(&rig))
        assert_int_equal(waited_ns, 0);
    else
        assert_in_range(waited_ns, 20500000, UINT64_C(5000000000));
    rig_close(&rig);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        SCENARIO(accept_one_client_shows_peer),
        SCENARIO(adopt_after_detach_keeps_bytes_in_flight),
        SCENARIO(adopt_after_eof_gives_eof_again),
        SCENARIO(drop_of_handle_ends_connection),
        SCENARIO(adopt_unannounced_is_freed_by_close),
        SCENARIO(streams_beyond_maximum_wait),
        SCENARIO(accept_without_descriptors_pauses_and_resumes),
        SCENARIO(churn_of_streams_leaves_none),
        SCENARIO(close_with_live_streams_frees_them),
        SCENARIO(listen_with_null_stops_accepting),
        SCENARIO(wake_from_other_thread_ends_waiting),
        SCENARIO(poll_without_events_waits_its_timeout),
    };
    return rig_run(scenarios, sizeof scenarios / sizeof scenarios[0], argc, argv);
}

// SPDX-License-Identifier: Apache-2.0
// The datapath table's contract, the same scenarios over every back end.
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
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const struct zn_dp_config plain_config = { .streams_max = 100000 };

static void expect_text(struct client *client, const char *text)
{
    char buf[256];
    assert_int_equal(client_expect(client, buf, strlen(text)), (ssize_t)strlen(text));
    assert_memory_equal(buf, text, strlen(text));
}

static void expect_end(struct client *client, ssize_t end)
{
    uint8_t buf[64];
    assert_int_equal(client_expect(client, buf, sizeof buf), end);
}

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

static void echo_small_message_returns_it(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_open(&rig);
    for (int i = 0; i < 50; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "message %d", i);
        assert_int_equal(client_write(client, text, (size_t)len), len);
        expect_text(client, text);
    }
    client_free(client);
    rig_close(&rig);
}

static void echo_bulk(struct rig *rig, size_t len)
{
    struct client *client = client_greeted(rig);
    uint8_t *sent = pattern_new(len), *got = malloc(len);
    size_t written = 0, read = 0;
    for (int idle = 0; read < len && idle < 3000;) {
        if (written < len)
            written += client_write(client, sent + written, len - written);
        ssize_t part = client_read(client, got + read, len - read < 5000 ? len - read : 5000);
        assert_true(part >= 0);
        read += (size_t)part;
        idle = rig_turn(rig) || part ? 0 : idle + 1;
    }
    assert_int_equal(read, len);
    assert_memory_equal(sent, got, len);
    free(sent);
    free(got);
    client_free(client);
}

static void echo_bulk_with_slow_reader_loses_nothing(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    echo_bulk(&rig, 3 << 20);
    rig_close(&rig);
}

static void echo_bulk_with_one_event_a_turn_loses_nothing(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.max = 1;
    echo_bulk(&rig, 200000);
    rig_close(&rig);
}

static void recv_with_small_helpings_stays_within_them(void **state)
{
    struct zn_dp_config config = { .streams_max = 10, .recv_size = 7 };
    struct rig rig;
    rig_open(&rig, *state, &config);
    echo_bulk(&rig, 5000);
    rig_close(&rig);
}

static void send_to_stalled_reader_goes_on_when_it_reads(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    struct session *session = rig.last;
    if (client->mem)
        zn_dp_mem_window(client->mem, 10000);
    size_t len = 12 << 20;
    uint8_t *sent = pattern_new(len), *got = malloc(len);
    session_send(&rig, session, sent, len);
    rig_settle(&rig);
    assert_true(session->waiting);
    assert_true(session->sent < len);
    // A reader that is slow but alive shows before all is through.
    size_t before = session->sent, part = 4 << 20;
    assert_int_equal(client_expect(client, got, part), (ssize_t)part);
    rig_settle(&rig);
    assert_in_range(session->sent, before + 1, len);
    assert_true(session->waiting);
    assert_int_equal(client_expect(client, got + part, len - part), (ssize_t)(len - part));
    assert_memory_equal(sent, got, len);
    rig_settle(&rig);
    assert_false(session->waiting);
    assert_int_equal(session->sent, len + 2);
    assert_true(session->sents > 0);
    free(sent);
    free(got);
    client_free(client);
    rig_close(&rig);
}

static void reset_while_blocked_gives_error(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    if (client->mem)
        zn_dp_mem_window(client->mem, 10000);
    uint8_t *sent = pattern_new(12 << 20);
    session_send(&rig, rig.last, sent, 12 << 20);
    rig_settle(&rig);
    client_reset(client);
    rig_settle(&rig);
    assert_int_equal(rig.errors, 1);
    assert_int_equal(rig.sessions_len, 0);
    assert_int_equal(rig.gones, !!(rig.dp->ops->caps & ZN_DP_CAP_ASYNC));
    free(sent);
    client_free(client);
    rig_close(&rig);
}

// Bytes that an asynchronous datapath was given stay its own until GONE, and go out before that.
static void release_with_bytes_in_flight_sends_what_was_given(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    rig_settle(&rig);
    if (client->mem)
        zn_dp_mem_window(client->mem, 10000);
    size_t len = 12 << 20;
    uint8_t *sent = pattern_new(len), *got = malloc(len);
    session_send(&rig, rig.last, sent, len);
    rig_settle(&rig);
    bool whole = rig.dp->ops->caps & ZN_DP_CAP_ASYNC;
    session_end(&rig, rig.last, ZN_END_RELEASE);
    assert_int_equal(rig.gones, 0);
    ssize_t read = client_expect(client, got, len);
    assert_true(whole ? read == (ssize_t)len : read > 0 && read < (ssize_t)len);
    assert_memory_equal(sent, got, (size_t)read);
    expect_end(client, -EPIPE);
    rig_settle(&rig);
    assert_int_equal(rig.gones, whole);
    free(sent);
    free(got);
    client_free(client);
    rig_close(&rig);
}

static void fin_with_bytes_in_flight_follows_them(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    rig_settle(&rig);
    if (client->mem)
        zn_dp_mem_window(client->mem, 10000);
    // What only an asynchronous datapath takes over goes out before the end.
    size_t len = rig.dp->ops->caps & ZN_DP_CAP_ASYNC ? 12 << 20 : 5000;
    uint8_t *sent = pattern_new(len), *got = malloc(len);
    session_send(&rig, rig.last, sent, len);
    session_end(&rig, rig.last, ZN_END_FIN);
    assert_int_equal(client_expect(client, got, len), (ssize_t)len);
    assert_memory_equal(sent, got, len);
    expect_end(client, -EPIPE);
    free(sent);
    free(got);
    client_free(client);
    rig_close(&rig);
}

static void end_with_bytes_in_flight_gives_them_back(struct rig *rig, enum zn_dp_end how)
{
    struct client *client = client_greeted(rig);
    rig_settle(rig);
    if (client->mem)
        zn_dp_mem_window(client->mem, 10000);
    uint8_t *sent = pattern_new(12 << 20);
    session_send(rig, rig->last, sent, 12 << 20);
    rig_settle(rig);
    session_end(rig, rig->last, how);
    bool async = rig->dp->ops->caps & ZN_DP_CAP_ASYNC;
    for (int i = 0; i < 4000 && async && !rig->gones; i++)
        rig_turn(rig);
    rig_settle(rig);
    assert_int_equal(rig->gones, async);
    assert_null(rig->ghosts);
    free(sent);
    client_free(client);
}

static void reset_with_bytes_in_flight_gives_them_back(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    end_with_bytes_in_flight_gives_them_back(&rig, ZN_END_RESET);
    rig_close(&rig);
}

static void release_to_reader_that_never_reads_is_bounded(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    end_with_bytes_in_flight_gives_them_back(&rig, ZN_END_RELEASE);
    rig_close(&rig);
}

static void fin_from_client_gives_eof_and_leaves_sending(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.keep = true;
    struct client *client = client_greeted(&rig);
    assert_int_equal(client_write(client, "more", 4), 4);
    client_fin(client);
    rig_settle(&rig);
    assert_int_equal(rig.last->eofs, 1);
    assert_int_equal(rig.last->received, 6);
    session_send(&rig, rig.last, "late", 4);
    expect_text(client, "morelate");
    session_end(&rig, rig.last, ZN_END_RELEASE);
    expect_end(client, -EPIPE);
    client_free(client);
    rig_close(&rig);
}

static void fin_from_server_follows_data_and_leaves_receiving(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.mute = true;
    struct client *client = client_greeted(&rig);
    session_send(&rig, rig.last, "last words", 10);
    session_end(&rig, rig.last, ZN_END_FIN);
    expect_text(client, "last words");
    expect_end(client, -EPIPE);
    if (!client->ssl) {
        assert_int_equal(client_write(client, "still here", 10), 10);
        rig_settle(&rig);
        assert_int_equal(rig.last->received, 12);
    }
    client_fin(client);
    rig_settle(&rig);
    assert_int_equal(rig.ends, 1);
    assert_int_equal(rig.sessions_len, 0);
    client_free(client);
    rig_close(&rig);
}

// A refusal must reach a client that goes on sending what nobody reads.
static void release_with_input_unread_delivers_last_words(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.answer_bye = true;
    uint8_t *bytes = pattern_new(100000);
    for (int i = 0; i < 20; i++) {
        struct client *client = client_open(&rig);
        client_write(client, bytes, 100000);
        for (int turn = 0; turn < 3; turn++)
            rig_turn(&rig);
        assert_int_equal(client_write(client, "x", 1), 1);
        expect_text(client, "bye");
        expect_end(client, -EPIPE);
        client_free(client);
    }
    rig_settle(&rig);
    assert_int_equal(rig.sessions_len, 0);
    free(bytes);
    rig_close(&rig);
}

static void release_to_client_that_goes_on_sending_delivers_last_words(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.answer_bye = true;
    size_t len = 12 << 20, written = 0; // more than fits the buffers between
    uint8_t *bytes = pattern_new(len);
    struct client *client = client_open(&rig);
    for (int turn = 0; written < len && turn < 3000; turn++) {
        written += client_write(client, bytes + written, len - written);
        rig_turn(&rig);
    }
    assert_int_equal(written, len);
    expect_text(client, "bye");
    expect_end(client, -EPIPE);
    rig_settle(&rig);
    assert_int_equal(rig.sessions_len, 0);
    free(bytes);
    client_free(client);
    rig_close(&rig);
}

static void reset_from_client_gives_error(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    client_reset(client);
    rig_settle(&rig);
    assert_int_equal(rig.errors, 1);
    assert_int_equal(rig.sessions_len, 0);
    client_free(client);
    rig_close(&rig);
}

static void reset_from_client_shows_through_a_stopped_stream(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    rig.dp->ops->want(rig.dp, rig.last->stream, false);
    assert_int_equal(client_write(client, "unread", 6), 6);
    rig_settle(&rig);
    client_reset(client);
    rig_settle(&rig);
    assert_int_equal(rig.errors, 1);
    client_free(client);
    rig_close(&rig);
}

static void reset_from_server_reaches_client(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    session_end(&rig, rig.last, ZN_END_RESET);
    expect_end(client, -ECONNRESET);
    rig_settle(&rig);
    client_free(client);
    rig_close(&rig);
}

static void want_false_stops_input_and_true_resumes_it(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.mute = true;
    struct client *client = client_greeted(&rig);
    for (int round = 1; round <= 5; round++) {
        size_t before = rig.received;
        rig.dp->ops->want(rig.dp, rig.last->stream, false);
        assert_int_equal(client_write(client, "first", 5), 5);
        rig_settle(&rig);
        assert_int_equal(client_write(client, "second", 6), 6);
        rig_settle(&rig);
        assert_int_equal(rig.received, before);
        rig.dp->ops->want(rig.dp, rig.last->stream, true);
        rig_settle(&rig);
        assert_int_equal(rig.received, before + 11);
    }
    rig.dp->ops->want(rig.dp, rig.last->stream, false);
    rig.dp->ops->want(rig.dp, rig.last->stream, true);
    rig.mute = false;
    assert_int_equal(client_write(client, "echo", 4), 4);
    expect_text(client, "echo");
    rig.dp->ops->want(rig.dp, rig.last->stream, false);
    client_fin(client);
    rig_settle(&rig);
    assert_int_equal(rig.ends, 0);
    rig.dp->ops->want(rig.dp, rig.last->stream, true);
    rig_settle(&rig);
    assert_int_equal(rig.ends, 1);
    client_free(client);
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
    expect_text(client, "done");
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
    expect_end(client, -EPIPE);
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

static void burst_to_many_streams_reaches_all(void **state)
{
    enum { COUNT = 300 };
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *clients[COUNT];
    for (int i = 0; i < COUNT; i++)
        clients[i] = client_greeted(&rig);
    static const struct iovec iov[2] = { { "broad", 5 }, { "cast", 4 } };
    static struct zn_dp_send burst[COUNT];
    rig_settle(&rig); // so that nothing else is with the datapath
    unsigned len = 0;
    for (struct session *session = rig.sessions; session; session = session->next)
        burst[len] = (struct zn_dp_send){ session->stream, iov, 1 + len % 2, 0 }, len++;
    assert_int_equal(len, COUNT);
    rig.dp->ops->send(rig.dp, burst, len);
    for (unsigned i = 0; i < len; i++) {
        struct session *session = zn_stream_user(burst[i].stream, rig.config.user_size);
        size_t total = burst[i].iov_len == 1 ? 5 : 9;
        session->waiting = burst[i].taken < total;
        session->out_len = total - burst[i].taken;
    }
    for (int i = 0; i < COUNT; i++) {
        expect_text(clients[i], "broad");
        client_free(clients[i]);
    }
    rig_settle(&rig);
    assert_int_equal(rig.ends + rig.errors, COUNT);
    rig_close(&rig);
}

static void busy_stream_leaves_turns_to_others(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.mute = true;
    struct client *busy = client_greeted(&rig), *other = client_greeted(&rig);
    struct session *session = rig.last;
    uint8_t *bytes = pattern_new(4 << 20);
    size_t left = 4 << 20;
    left -= client_write(busy, bytes, left);
    for (int round = 0; round < 10; round++) {
        size_t before = session->received;
        assert_int_equal(client_write(other, "x", 1), 1);
        for (int turn = 0; turn < 6 && session->received == before; turn++) {
            if (left)
                left -= client_write(busy, bytes, left);
            rig_turn(&rig);
        }
        assert_int_equal(session->received, before + 1);
    }
    free(bytes);
    client_free(busy);
    client_free(other);
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
        expect_end(late, -ECONNRESET);
        client_free(late);
    } else {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&rig.address, sizeof rig.address), -1);
        close(fd);
    }
    assert_int_equal(client_write(client, "still", 5), 5);
    expect_text(client, "still");
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

#define SCENARIO(name)                                                                             \
    {                                                                                              \
#name, name                                                                                \
    }

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        SCENARIO(accept_one_client_shows_peer),
        SCENARIO(echo_small_message_returns_it),
        SCENARIO(echo_bulk_with_slow_reader_loses_nothing),
        SCENARIO(echo_bulk_with_one_event_a_turn_loses_nothing),
        SCENARIO(recv_with_small_helpings_stays_within_them),
        SCENARIO(send_to_stalled_reader_goes_on_when_it_reads),
        SCENARIO(reset_while_blocked_gives_error),
        SCENARIO(release_with_bytes_in_flight_sends_what_was_given),
        SCENARIO(fin_with_bytes_in_flight_follows_them),
        SCENARIO(reset_with_bytes_in_flight_gives_them_back),
        SCENARIO(release_to_reader_that_never_reads_is_bounded),
        SCENARIO(fin_from_client_gives_eof_and_leaves_sending),
        SCENARIO(fin_from_server_follows_data_and_leaves_receiving),
        SCENARIO(release_with_input_unread_delivers_last_words),
        SCENARIO(release_to_client_that_goes_on_sending_delivers_last_words),
        SCENARIO(reset_from_client_gives_error),
        SCENARIO(reset_from_client_shows_through_a_stopped_stream),
        SCENARIO(reset_from_server_reaches_client),
        SCENARIO(want_false_stops_input_and_true_resumes_it),
        SCENARIO(adopt_after_detach_keeps_bytes_in_flight),
        SCENARIO(adopt_after_eof_gives_eof_again),
        SCENARIO(drop_of_handle_ends_connection),
        SCENARIO(adopt_unannounced_is_freed_by_close),
        SCENARIO(streams_beyond_maximum_wait),
        SCENARIO(accept_without_descriptors_pauses_and_resumes),
        SCENARIO(burst_to_many_streams_reaches_all),
        SCENARIO(busy_stream_leaves_turns_to_others),
        SCENARIO(churn_of_streams_leaves_none),
        SCENARIO(close_with_live_streams_frees_them),
        SCENARIO(listen_with_null_stops_accepting),
        SCENARIO(wake_from_other_thread_ends_waiting),
        SCENARIO(poll_without_events_waits_its_timeout),
    };
    return rig_run(scenarios, sizeof scenarios / sizeof scenarios[0], argc, argv);
}

// SPDX-License-Identifier: Apache-2.0
// Stands for reactors and sessions under the Socket.IO layer: sessions record what is sent as
// text, mail goes round when fake_turn() says so, and time is what fake_advance() makes it.
// A program of the tests includes it once.
#ifndef ZN_TESTS_UNIT_IO_FAKE_H
#define ZN_TESTS_UNIT_IO_FAKE_H

#include "core/packet.h"
#include "core/session.h"
#include "socketio/io.h"
#include "socketio/socket.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct zn_engine {
    struct zn_engine_options options;
    const struct zn_session_ops *ops;
    void *user;
};

struct zn_session {
    struct zn_session *next;
    struct zn_reactor *reactor;
    struct zn_engine *engine;
    const char *closing;    // asked for
    unsigned close_code;    // what a WebSocket is told then
    bool blocked;           // volatile packets are dropped
    bool full;              // all are
    bool forgotten;         // the handshake is
    struct zn_packet *last; // where the last packet stood
    char sent[8192];        // texts, each with '|' behind; binaries as <hex>
    max_align_t user[];
};

struct fake {
    struct zn_server server;
    struct zn_engine engine;
    struct zn_session *sessions;
    struct zn_mail *mail[8], **mail_end[8];
    unsigned ids;
    bool mail_full;
    void (*sink)(const struct zn_packet *packet); // gets what is sent instead of the record
};

// Where attachment n stands.
#define PLACE(n) "{\"_placeholder\":true,\"num\":" #n "}"

static struct fake fake;
static struct zn_reactor *fake_self;

// --- What the layer asks for

struct zn_reactor *zn__reactor_self(void)
{
    return fake_self;
}

void zn__reactor_timer(struct zn_reactor *reactor, struct zn_timer *timer, enum zn_timer_kind kind,
                       uint64_t ms)
{
    timer->kind = (uint8_t)kind;
    zn__wheel_set(&reactor->wheel, timer, reactor->now_ms + ms);
}

void zn__reactor_untimer(struct zn_reactor *reactor, struct zn_timer *timer)
{
    zn__wheel_cancel(&reactor->wheel, timer);
}

void zn__reactor_sid(struct zn_reactor *reactor, char out[21])
{
    (void)reactor;
    snprintf(out, 21, "S%019u", ++fake.ids % 1000000000u);
}

int zn__reactor_mail(struct zn_reactor *reactor, unsigned to, struct zn_mail *mail)
{
    (void)reactor;
    if (fake.mail_full) {
        mail->drop(mail);
        return -ENOBUFS;
    }
    mail->next = NULL;
    *fake.mail_end[to] = mail;
    fake.mail_end[to] = &mail->next;
    return 0;
}

void zn__packet_deinit(struct zn_packet *packet)
{
    assert(packet->runs[0].chunk == NULL);
}

struct zn_reactor *zn__session_reactor(const struct zn_session *session)
{
    return session->reactor;
}

struct zn_engine *zn__session_engine(const struct zn_session *session)
{
    return session->engine;
}

void *zn__session_user(struct zn_session *session)
{
    return session->user;
}

struct zn_session *zn__session_of(void *user)
{
    return (struct zn_session *)((char *)user - offsetof(struct zn_session, user));
}

void zn__session_fetch(const struct zn_session *session)
{
    (void)session;
}

int zn__session_send(struct zn_session *session, struct zn_packet *packet)
{
    assert(session->reactor == fake_self);
    if (session->closing != NULL)
        return -ENOTCONN;
    if (session->full)
        return -ENOBUFS;
    if (session->blocked && (packet->flags & ZN_VOLATILE))
        return -EAGAIN;
    session->last = packet;
    if (fake.sink != NULL) {
        fake.sink(packet);
        return 0;
    }
    char *at = session->sent + strlen(session->sent);
    assert(at + packet->text_len + 300 < session->sent + sizeof(session->sent));
    for (unsigned i = 0; i < packet->parts_len; i++)
        at += sprintf(at, "%.*s", (int)packet->parts[i].len, packet->parts[i].p);
    at += sprintf(at, "|");
    for (unsigned i = 0; i < packet->bin_len; i++) {
        at += sprintf(at, "<");
        for (size_t j = 0; j < packet->bin[i].len; j++)
            at += sprintf(at, "%02x", ((const uint8_t *)packet->bin[i].p)[j]);
        at += sprintf(at, ">");
    }
    return 0;
}

size_t zn__session_buffered(const struct zn_session *session)
{
    return strlen(session->sent);
}

const char *zn__session_transport(const struct zn_session *session)
{
    (void)session;
    return "websocket";
}

void zn__session_close(struct zn_session *session, const char *reason, bool discard)
{
    (void)discard;
    assert(session->closing == NULL);
    session->closing = reason;
}

void zn__session_close_code(struct zn_session *session, enum zn_ws_close_code code)
{
    session->close_code = code;
}

void zn__session_handshake(const struct zn_session *session, struct zn_handshake *out)
{
    *out = (struct zn_handshake){
        .url = "", .query = "", .headers = "{}", .address = "127.0.0.1", .issued_ms = 1795222874340
    };
    if (session->forgotten)
        return;
    out->url = "/socket.io/?EIO=4&a=b%20c";
    out->query = "EIO=4&a=b%20c";
    out->headers = "{\"host\":\"x\"}";
}

void zn__session_forget_handshake(struct zn_session *session)
{
    session->forgotten = true;
}

const struct zn_engine_options *zn__engine_options(const struct zn_engine *engine)
{
    return &engine->options;
}

void zn__engine_serve_client(struct zn_engine *engine)
{
    (void)engine;
}

int zn__engine_attach(struct zn_server *server, const struct zn_engine_options *options,
                      const struct zn_session_ops *ops, void *user, struct zn_engine **engine_out)
{
    assert(server == &fake.server);
    fake.engine = (struct zn_engine){ *options, ops, user };
    if (fake.engine.options.max_payload == 0)
        fake.engine.options.max_payload = 1000;
    *engine_out = &fake.engine;
    return 0;
}

// --- What tests do

static void fake_start(unsigned threads, const struct zn_io_options *options)
{
    memset(&fake, 0, sizeof(fake));
    fake.server.threads = threads;
    fake.server.options.message_timeout_ms = 30000;
    fake.server.options.unfinished_max = 1 << 20;
    fake.server.secret[0] = 1;
    fake.server.reactors = calloc(threads, sizeof(struct zn_reactor));
    int err = zn_io(&fake.server, options);
    assert(err == 0);
    for (unsigned i = 0; i < threads; i++) {
        struct zn_reactor *reactor = &fake.server.reactors[i];
        reactor->server = &fake.server;
        reactor->index = i;
        reactor->now_ms = 1000;
        reactor->wall_ms = 1795222874340;
        zn__wheel_init(&reactor->wheel, reactor->now_ms);
        fake.mail_end[i] = &fake.mail[i];
        err = zn__io_shard_create(fake.server.io, reactor, &reactor->io);
        assert(err == 0);
    }
    fake_self = &fake.server.reactors[0];
}

// Runs `reactor` next: its API calls, its sessions.
static void fake_on(unsigned reactor)
{
    fake_self = &fake.server.reactors[reactor];
}

static struct zn_session *fake_open(unsigned reactor)
{
    struct zn_session *session =
        calloc(1, sizeof(*session) + fake.engine.ops->user_size + sizeof(max_align_t));
    session->reactor = &fake.server.reactors[reactor];
    session->engine = &fake.engine;
    session->next = fake.sessions;
    fake.sessions = session;
    fake_on(reactor);
    fake.engine.ops->open(session);
    return session;
}

static void fake_text(struct zn_session *session, const char *text)
{
    // Exactly as long as the text, so that reading over its end is seen.
    size_t len = strlen(text);
    char *copy = malloc(len > 0 ? len : 1);
    memcpy(copy, text, len);
    fake_self = session->reactor;
    fake.engine.ops->message(session, false, (uint8_t *)copy, len);
    free(copy);
}

static inline void fake_binary(struct zn_session *session, const void *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    memcpy(copy, data, len);
    fake_self = session->reactor;
    fake.engine.ops->message(session, true, copy, len);
    free(copy);
}

static void fake_close(struct zn_session *session, const char *reason)
{
    struct zn_session **link = &fake.sessions;
    while (*link != session)
        link = &(*link)->next;
    *link = session->next;
    fake_self = session->reactor;
    fake.engine.ops->close(session, reason);
    free(session);
}

static bool fake_run_mail(unsigned to)
{
    struct zn_mail *mail = fake.mail[to];
    if (mail == NULL)
        return false;
    fake.mail[to] = mail->next;
    if (fake.mail[to] == NULL)
        fake.mail_end[to] = &fake.mail[to];
    fake_on(to);
    mail->run(fake_self, mail);
    return true;
}

// Delivers all mail and ends the sessions that are to end.
static inline void fake_turn(void)
{
    bool more = true;
    while (more) {
        more = false;
        for (unsigned i = 0; i < fake.server.threads; i++)
            more = fake_run_mail(i) || more;
    }
    struct zn_session *next;
    for (struct zn_session *session = fake.sessions; session != NULL; session = next) {
        next = session->next;
        if (session->closing != NULL)
            fake_close(session, session->closing);
    }
    fake_on(0);
}

static inline void fake_advance(uint64_t ms)
{
    for (unsigned i = 0; i < fake.server.threads; i++) {
        struct zn_reactor *reactor = &fake.server.reactors[i];
        fake_on(i);
        reactor->now_ms += ms;
        reactor->wall_ms += ms;
        struct zn_timer *timer;
        while ((timer = zn__wheel_pop(&reactor->wheel, reactor->now_ms)) != NULL)
            fake.server.on_timer[timer->kind](reactor, timer);
    }
    fake_on(0);
}

// What the session got since the last call.
static const char *fake_sent(struct zn_session *session)
{
    static char text[8192];
    strcpy(text, session->sent);
    session->sent[0] = '\0';
    return text;
}

// A session in `nsp` ("40" for "/"); what it was sent is forgotten.
static inline struct zn_session *fake_connect(unsigned reactor, const char *connect)
{
    struct zn_session *session = fake_open(reactor);
    fake_text(session, connect);
    fake_sent(session);
    return session;
}

// The first socket of a session.
static inline struct zn_socket *fake_socket(struct zn_session *session)
{
    return *(struct zn_socket **)((char *)session->user + sizeof(struct zn_timer));
}

static void fake_stop(void)
{
    while (fake.sessions != NULL)
        fake_close(fake.sessions, "transport close");
    for (unsigned i = 0; i < fake.server.threads; i++) {
        while (fake.mail[i] != NULL) {
            struct zn_mail *mail = fake.mail[i];
            fake.mail[i] = mail->next;
            mail->drop(mail);
        }
    }
    for (unsigned i = 0; i < fake.server.threads; i++) {
        fake_on(i);
        zn__io_shard_destroy(fake.server.reactors[i].io);
    }
    zn__io_destroy(fake.server.io);
    free(fake.server.reactors);
    fake_self = NULL;
}

// What callbacks note down, in order.
static char noted[4096];

static inline void note(const char *format, ...)
{
    va_list args;
    size_t len = strlen(noted);
    va_start(args, format);
    vsnprintf(noted + len, sizeof(noted) - len, format, args);
    va_end(args);
}

static inline const char *take_notes(void)
{
    static char text[sizeof(noted)];
    strcpy(text, noted);
    noted[0] = '\0';
    return text;
}

#endif

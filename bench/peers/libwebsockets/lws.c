// SPDX-License-Identifier: Apache-2.0
// libwebsockets (Debian's build) on its libuv loop, no extensions. Messages are shared by reference
// between the sessions' queues; a session writes while the pipe is not choked.
//   lws --bench echo|bcast --port N
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    QUEUE = 4096,
    MESSAGE_MAX = 16 * 1024 * 1024,
    READ_LEN = 65536,
    RX_LEN = 20480 // the largest usual message in one callback
};

struct message {
    size_t len;
    uint32_t refs;
    bool binary;
    uint8_t data[]; // LWS_PRE bytes of room for the header, then the payload
};

struct entry {
    struct message *message;
    struct entry *next;
};

struct session {
    struct lws *wsi;
    struct session *next, *prev;
    struct entry *head, **tail;
    uint32_t queued;
    uint8_t *partial;
    size_t partial_len;
};

static struct session *sessions;
static bool bcast;

static void unref(struct message *m)
{
    if (--m->refs == 0)
        free(m);
}

static int enqueue(struct session *s, struct message *m)
{
    struct entry *e = s->queued < QUEUE ? malloc(sizeof(*e)) : NULL;
    if (!e)
        return -1;
    *e = (struct entry){ m, NULL };
    m->refs++;
    s->queued++;
    *s->tail = e;
    s->tail = &e->next;
    return lws_callback_on_writable(s->wsi) < 0 ? -1 : 0;
}

static void pop(struct session *s)
{
    struct entry *e = s->head;
    s->head = e->next;
    if (!s->head)
        s->tail = &s->head;
    s->queued--;
    unref(e->message);
    free(e);
}

static int deliver(struct session *s, const uint8_t *data, size_t len, bool binary)
{
    struct message *m = malloc(sizeof(*m) + LWS_PRE + len);
    int rc = 0;
    if (!m)
        return -1;
    *m = (struct message){ .len = len, .refs = 1, .binary = binary };
    memcpy(m->data + LWS_PRE, data, len);
    if (!bcast)
        rc = enqueue(s, m);
    else
        for (struct session *to = sessions; to; to = to->next)
            rc |= enqueue(to, m) && to == s;
    unref(m);
    return rc;
}

static int receive(struct session *s, const uint8_t *data, size_t len)
{
    bool whole = lws_is_final_fragment(s->wsi) && lws_remaining_packet_payload(s->wsi) == 0;
    bool binary = lws_frame_is_binary(s->wsi);
    if (whole && s->partial_len == 0)
        return deliver(s, data, len, binary);
    if (s->partial_len + len > MESSAGE_MAX)
        return -1;
    uint8_t *partial = realloc(s->partial, s->partial_len + len);
    if (!partial)
        return -1;
    memcpy(partial + s->partial_len, data, len);
    s->partial = partial;
    s->partial_len += len;
    if (!whole)
        return 0;
    len = s->partial_len;
    s->partial_len = 0;
    return deliver(s, partial, len, binary);
}

static int writeable(struct session *s)
{
    while (s->head) {
        struct message *m = s->head->message;
        enum lws_write_protocol kind = m->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
        if (lws_write(s->wsi, m->data + LWS_PRE, m->len, kind) < (int)m->len)
            return -1;
        pop(s);
        if (s->head && lws_send_pipe_choked(s->wsi))
            return lws_callback_on_writable(s->wsi) < 0 ? -1 : 0;
    }
    return 0;
}

static void join(struct session *s, struct lws *wsi)
{
    *s = (struct session){ .wsi = wsi, .next = sessions };
    s->tail = &s->head;
    if (sessions)
        sessions->prev = s;
    sessions = s;
}

static void leave(struct session *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        sessions = s->next;
    if (s->next)
        s->next->prev = s->prev;
    while (s->head)
        pop(s);
    free(s->partial);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED:
        join(user, wsi);
        return 0;
    case LWS_CALLBACK_CLOSED:
        leave(user);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return receive(user, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return writeable(user);
    default:
        return 0;
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    bcast = strcmp(argv[2], "bcast") == 0;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    static const struct lws_protocols protocols[] = {
        { .name = "bench",
          .callback = callback,
          .per_session_data_size = sizeof(struct session),
          .rx_buffer_size = RX_LEN },
        { 0 },
    };
    struct lws_context_creation_info info = {
        .port = atoi(argv[4]),
        .iface = "127.0.0.1",
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV,
        .pt_serv_buf_size = READ_LEN,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
    };
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context *context = lws_create_context(&info);
    if (!context)
        return 1;
    lws_service(context, 0); // runs the libuv loop until a signal stops it
    lws_context_destroy(context);
    return 0;
}

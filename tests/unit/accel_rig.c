// SPDX-License-Identifier: Apache-2.0
#include "accel_rig.h"

#include "tcp/seq.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_PORT = 40000, WINDOW = 65535 };

static const uint8_t server_mac[6] = { 2, 0, 0, 0, 0, 1 };

static struct accel_rig *rig_of(struct zn_wire *wire)
{
    return (struct accel_rig *)wire;
}

// --- clients

static void client_emit(struct accel_rig *rig, struct accel_client *client, uint8_t flags,
                        const void *payload, size_t len)
{
    static const struct zn_tcp_link link = { .peer_mac = { 2, 0, 0, 0, 0, 1 } };
    struct zn_segment_out out = {
        .tuple = &client->tuple,
        .link = &link,
        .local_mac = (uint8_t[]){ 2, 0, 0, 0, 0, 2 },
        .seq = client->snd_nxt,
        .ack = client->rcv_nxt,
        .window = WINDOW,
        .flags = flags,
        .scale = 255,
        .mss = flags & ZN_TCP_SYN ? ACCEL_RIG_MSS : 0,
        .payload_len = (uint32_t)len,
        .payload = payload,
    };
    if (rig->waiting_len == ACCEL_RIG_WIRE || len > ACCEL_RIG_MSS)
        abort();
    struct accel_rig_packet *packet = &rig->waiting[rig->waiting_len++];
    packet->len = zn__segment_compose(&out, packet->bytes);
    if (len != 0)
        memcpy(packet->bytes + packet->len, payload, len);
    packet->len += len;
    client->snd_nxt += (uint32_t)len + !!(flags & (ZN_TCP_SYN | ZN_TCP_FIN));
}

static void client_take(struct accel_rig *rig, struct accel_client *client,
                        const struct zn_segment *segment)
{
    client->reset |= !!(segment->flags & ZN_TCP_RST);
    if (segment->flags & ZN_TCP_RST)
        return;
    if (segment->flags & ZN_TCP_ACK)
        client->acked = segment->ack;
    if (segment->flags & ZN_TCP_SYN) {
        client->rcv_nxt = segment->seq + 1;
        client->open = true;
    } else if (segment->seq != client->rcv_nxt) {
        return; // sent again
    } else {
        client->rcv_nxt += segment->payload_len;
        client->received += segment->payload_len;
        for (uint32_t i = 0; i < segment->payload_len; i++)
            client->received_sum += segment->payload[i];
        if (segment->payload_len != 0) {
            memcpy(client->last, segment->payload, segment->payload_len);
            client->last_len = segment->payload_len;
        }
        client->fin |= !!(segment->flags & ZN_TCP_FIN);
        client->rcv_nxt += !!(segment->flags & ZN_TCP_FIN);
        if (segment->payload_len == 0 && !(segment->flags & ZN_TCP_FIN))
            return;
    }
    if (!client->mute)
        client_emit(rig, client, ZN_TCP_ACK, NULL, 0);
}

// --- the wire

static unsigned wire_receive(struct zn_wire *wire, struct zn_wire_packet *burst, unsigned max)
{
    struct accel_rig *rig = rig_of(wire);
    unsigned count = rig->waiting_len < max ? rig->waiting_len : max;
    memcpy(rig->lent, rig->waiting, count * sizeof(*rig->lent));
    rig->waiting_len -= count;
    memmove(rig->waiting, rig->waiting + count, rig->waiting_len * sizeof(*rig->waiting));
    for (unsigned i = 0; i < count; i++)
        burst[i] = (struct zn_wire_packet){ rig->lent[i].bytes, rig->lent[i].len };
    return count;
}

static bool wire_send(struct zn_wire *wire, const struct iovec *iov, unsigned iov_len)
{
    struct accel_rig *rig = rig_of(wire);
    uint8_t bytes[ACCEL_RIG_MSS + 128];
    size_t len = 0;
    struct zn_packet packet;
    struct zn_segment segment;
    for (unsigned i = 0; i < iov_len; i++) {
        if (len + iov[i].iov_len > sizeof(bytes))
            abort();
        if (iov[i].iov_len != 0)
            memcpy(bytes + len, iov[i].iov_base, iov[i].iov_len);
        len += iov[i].iov_len;
    }
    if (zn__packet_parse(bytes, len, false, &packet) != ZN_PACKET_TCP ||
        zn__segment_parse(&packet, false, &segment) != 0)
        abort(); // what leaves has good checksums
    unsigned n = zn__get16(segment.tuple.peer_port) - FIRST_PORT;
    if (n >= ACCEL_RIG_CLIENTS) // as seen by a receiver, the peer is the server
        n = zn__get16(segment.tuple.local_port) - FIRST_PORT;
    if (n >= ACCEL_RIG_CLIENTS)
        abort();
    client_take(rig, &rig->client[n], &segment);
    return true;
}

static void wire_flush(struct zn_wire *wire)
{
    (void)wire;
}

static void wire_close(struct zn_wire *wire)
{
    rig_of(wire)->closed = true;
}

static const struct zn_wire_ops wire_ops = {
    .receive = wire_receive,
    .send = wire_send,
    .flush = wire_flush,
    .close = wire_close,
};

// --- the device, with its commands counted

static struct accel_rig *rig_of_device(struct zn_device *device)
{
    return (struct accel_rig *)((char *)device - offsetof(struct accel_rig, counter));
}

static unsigned count_receive(struct zn_device *device, struct zn_device_message *burst,
                              unsigned max)
{
    struct zn_device *inner = rig_of_device(device)->device;
    return inner->ops->receive(inner, burst, max);
}

static void count_command(struct zn_device *device, const struct zn_acc_command *command,
                          const struct iovec *body, unsigned body_len)
{
    struct accel_rig *rig = rig_of_device(device);
    rig->commands[command->kind & 31]++;
    rig->device->ops->command(rig->device, command, body, body_len);
}

static void count_flush(struct zn_device *device)
{
    struct zn_device *inner = rig_of_device(device)->device;
    inner->ops->flush(inner);
}

static uint32_t count_read(struct zn_device *device, uint32_t reg)
{
    struct zn_device *inner = rig_of_device(device)->device;
    return inner->ops->read(inner, reg);
}

static void count_write(struct zn_device *device, uint32_t reg, uint32_t value)
{
    struct zn_device *inner = rig_of_device(device)->device;
    inner->ops->write(inner, reg, value);
}

static void count_close(struct zn_device *device)
{
    struct zn_device *inner = rig_of_device(device)->device;
    inner->ops->close(inner);
}

static const struct zn_device_ops count_ops = {
    .name = "counted",
    .receive = count_receive,
    .command = count_command,
    .flush = count_flush,
    .read = count_read,
    .write = count_write,
    .close = count_close,
};

// --- the server

struct accel_rig *accel_rig_new(void)
{
    struct accel_rig *rig = calloc(1, sizeof(*rig));
    if (rig == NULL)
        abort();
    rig->max = 64;
    rig->wire = (struct zn_wire){ .ops = &wire_ops, .mtu = 1500 };
    memcpy(rig->wire.mac, server_mac, sizeof(server_mac));
    if (zn_device_soft_open(&rig->wire, ACCEL_RIG_CLIENTS, &rig->device) != 0)
        abort();
    rig->counter = *rig->device;
    rig->counter.ops = &count_ops;
    rig->devices[0] = &rig->counter;
    struct zn_accel_config accel = {
        .devices = rig->devices, .devices_len = 1, .ip4 = { 10, 0, 0, 1 }, .mtu = 1500
    };
    zn_accel_configure(&accel);
    struct zn_dp_config config = { .user_size = sizeof(struct accel_session),
                                   .streams_max = ACCEL_RIG_CLIENTS };
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(ACCEL_RIG_PORT) };
    uint16_t port;
    if (zn_dp_accel.open(&config, &rig->dp) != 0 ||
        zn_dp_accel.listen(rig->dp, (struct sockaddr *)&address, sizeof(address), &port) != 0)
        abort();
    for (unsigned n = 0; n < ACCEL_RIG_CLIENTS; n++) {
        struct zn_tuple *tuple = &rig->client[n].tuple;
        memcpy(tuple->peer_address, (uint8_t[]){ 10, 0, 0, 1 }, 4);
        memcpy(tuple->local_address, (uint8_t[]){ 10, 0, 0, 2 }, 4);
        zn__put16(tuple->peer_port, ACCEL_RIG_PORT);
        zn__put16(tuple->local_port, (uint16_t)(FIRST_PORT + n));
    }
    return rig;
}

void accel_rig_free(struct accel_rig *rig)
{
    if (!rig->closed)
        zn_dp_accel.close(rig->dp);
    free(rig);
}

static void on_event(struct accel_rig *rig, const struct zn_dp_event *event)
{
    struct accel_session *session = zn_stream_user(event->stream, sizeof(*session));
    switch (event->type) {
    case ZN_DP_ACCEPT: {
        unsigned n = ntohs(((const struct sockaddr_in *)(const void *)event->peer)->sin_port);
        if (session->accepted || n - FIRST_PORT >= ACCEL_RIG_CLIENTS)
            abort();
        session->accepted = true;
        session->stream = event->stream;
        rig->session[n - FIRST_PORT] = session;
        break;
    }
    case ZN_DP_RECV:
        session->received += event->len;
        session->recvs++;
        break;
    case ZN_DP_SENT:
        session->sent += event->len;
        break;
    case ZN_DP_EOF:
        session->eof = true;
        break;
    case ZN_DP_ERROR:
        if (event->err >= 0)
            abort();
        session->err = event->err;
        break;
    case ZN_DP_GONE:
        if (!session->accepted || session->gones++ != 0)
            abort(); // its memory is somebody else's
        rig->gones++;
        break;
    default:
        abort();
    }
}

int accel_rig_turn(struct accel_rig *rig)
{
    struct zn_dp_event events[64];
    int count = zn_dp_accel.poll(rig->dp, events, rig->max, 0);
    for (int i = 0; i < count; i++)
        on_event(rig, &events[i]);
    rig->events += (unsigned)count;
    return count;
}

void accel_rig_settle(struct accel_rig *rig)
{
    for (int quiet = 0; quiet < 4;)
        quiet = accel_rig_turn(rig) != 0 || rig->waiting_len != 0 ? 0 : quiet + 1;
}

void accel_client_syn(struct accel_rig *rig, unsigned n)
{
    struct accel_client *client = &rig->client[n];
    client->snd_nxt = 1000 * (n + 1);
    client->reset = client->fin = client->open = false;
    rig->session[n] = NULL;
    client_emit(rig, client, ZN_TCP_SYN, NULL, 0);
}

struct accel_session *accel_rig_connect(struct accel_rig *rig, unsigned n)
{
    accel_client_syn(rig, n);
    accel_rig_settle(rig);
    if (!rig->client[n].open || rig->session[n] == NULL)
        abort();
    return rig->session[n];
}

void accel_client_send(struct accel_rig *rig, unsigned n, const void *bytes, size_t len)
{
    client_emit(rig, &rig->client[n], ZN_TCP_ACK | ZN_TCP_PSH, bytes, len);
}

void accel_client_flags(struct accel_rig *rig, unsigned n, uint8_t flags)
{
    client_emit(rig, &rig->client[n], flags | ZN_TCP_ACK, NULL, 0);
}

void accel_client_ack(struct accel_rig *rig, unsigned n)
{
    client_emit(rig, &rig->client[n], ZN_TCP_ACK, NULL, 0);
}

void accel_session_send(struct accel_rig *rig, unsigned n, const void *bytes, size_t len)
{
    struct iovec iov = { (void *)bytes, len };
    struct zn_dp_send send = { rig->session[n]->stream, &iov, 1, 0 };
    zn_dp_accel.send(rig->dp, &send, 1);
    if (send.taken != 0)
        abort(); // all of it is told by SENT
}

void accel_session_end(struct accel_rig *rig, unsigned n, enum zn_dp_end how)
{
    zn_dp_accel.end(rig->dp, rig->session[n]->stream, how);
    if (how != ZN_END_FIN)
        rig->session[n] = NULL;
}

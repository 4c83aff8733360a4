// SPDX-License-Identifier: Apache-2.0
// See accel.h: the table's operations. What TCP calls back with is in accel_stream.c.
#include "accel.h"

#include "accel_stream.h"
#include "tcp/packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum {
    PACKETS = 256, // of one receive
    HASH_KEY_BYTES = 40,
    SLEEP_NS = 50000,     // between looks, when idle
    RATE_PERIOD_LOG = 10, // replies are counted per 1024 ms
    DRAIN_NS = 200000000,
    LINGER_NS = 20000000,
    EVENTS_AREA = 1 << 20,
};

static struct zn_accel_config next_config;
static unsigned next_device;

void zn_accel_configure(const struct zn_accel_config *config)
{
    next_config = *config;
    next_device = 0;
}

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void clocks(struct zn_accel_dp *dp)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    dp->base.now_ns = clock_ns();
    dp->base.wall_ms = (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000;
}

// Registers: our address, a hash key that strangers do not know, and everything switched on.
static int device_start(struct zn_device *device)
{
    uint8_t key[HASH_KEY_BYTES];
    if (getrandom(key, sizeof(key), 0) != sizeof(key))
        return -EIO;
    for (uint32_t i = 0; i < sizeof(key); i += 4) {
        uint32_t word;
        memcpy(&word, key + i, 4);
        device->ops->write(device, ZN_REG_HASH_KEY + i, word);
    }
    uint32_t mac[2] = { 0 };
    memcpy(mac, device->mac, sizeof(device->mac));
    device->ops->write(device, ZN_REG_LOCAL_MAC, mac[0]);
    device->ops->write(device, ZN_REG_LOCAL_MAC + 4, mac[1]);
    device->ops->write(device, ZN_REG_HOP, 64);
    device->ops->write(device, ZN_REG_RATE_PERIOD, RATE_PERIOD_LOG);
    device->ops->write(device, ZN_REG_CONTROL, 7);
    return 0;
}

static int tcp_start(struct zn_accel_dp *dp)
{
    const struct zn_accel_config *accel = &dp->accel;
    size_t user_room = (dp->config.user_size + 15) & ~(size_t)15;
    uint32_t conns =
        dp->config.streams_max < dp->device->flows ? dp->config.streams_max : dp->device->flows;
    struct zn_tcp_config config = {
        .mtu = accel->mtu,
        .conns_max = conns,
        .user_size = user_room + sizeof(struct zn_stream),
        .half_max = conns < 16384 ? conns + 64 : 16384,
        .half_per_source_max = 4096,
        .time_wait_max = conns < 65536 ? conns + 64 : 65536,
        .window = 1 << 18,
        .hold_blocks = 16384,
        .keepalive_ms = 7200000,
        .linger_ms = 2000,
        .shared = accel->shared,
        .sink = zn__accel_sink,
        .user = dp,
    };
    memcpy(config.mac, dp->device->mac, 6);
    memcpy(config.ip4, accel->ip4, 4);
    memcpy(config.ip6, accel->ip6, 16);
    if (getrandom(config.secret, sizeof(config.secret), 0) != sizeof(config.secret))
        return -EIO;
    return zn_tcp_create(&config, &dp->tcp);
}

static void turn(struct zn_accel_dp *dp, unsigned max);

// Nobody sends on after this process, as a kernel would: what is ending gets a moment for it, and
// who is on the way here is told that nobody listens.
static void drain(struct zn_accel_dp *dp)
{
    static _Thread_local struct zn_dp_event events[PACKETS];
    const struct zn_tcp_stats *stats = zn_tcp_stats(dp->tcp);
    uint64_t begin = clock_ns();
    uint64_t passed;
    zn_tcp_listen(dp->tcp, 0);
    while ((passed = clock_ns() - begin) < LINGER_NS ||
           (stats->conns + stats->halves != 0 && passed < DRAIN_NS)) {
        turn(dp, PACKETS);
        zn__accel_events(dp, events, PACKETS);
        nanosleep(&(struct timespec){ .tv_nsec = SLEEP_NS }, NULL);
    }
}

static void accel_close(struct zn_dp *base)
{
    struct zn_accel_dp *dp = (struct zn_accel_dp *)base;
    if (dp->tcp != NULL) {
        drain(dp);
        zn_tcp_destroy(dp->tcp);
        dp->device->ops->flush(dp->device);
    }
    dp->device->ops->close(dp->device);
    free(dp->area);
    free(dp);
}

static int accel_open(const struct zn_dp_config *config, struct zn_dp **dp_out)
{
    if (next_device == next_config.devices_len)
        return -ENODEV;
    struct zn_accel_dp *dp = calloc(1, sizeof(*dp));
    if (dp == NULL)
        return -ENOMEM;
    dp->base.ops = &zn_dp_accel;
    dp->config = *config;
    dp->accel = next_config;
    dp->device = next_config.devices[next_device++];
    dp->area = malloc(EVENTS_AREA);
    int err = dp->area == NULL ? -ENOMEM : device_start(dp->device);
    if (err == 0)
        err = tcp_start(dp);
    if (err != 0) {
        accel_close(&dp->base);
        return err;
    }
    clocks(dp);
    zn_tcp_poll(dp->tcp, dp->base.now_ns);
    *dp_out = &dp->base;
    return 0;
}

static int accel_listen(struct zn_dp *base, const struct sockaddr *addr, socklen_t addr_len,
                        uint16_t *port_out)
{
    struct zn_accel_dp *dp = (struct zn_accel_dp *)base;
    (void)addr_len;
    if (addr == NULL)
        return zn_tcp_listen(dp->tcp, 0);
    const struct sockaddr_in *in = (const void *)addr; // sin6_port has the same place
    *port_out = ntohs(in->sin_port);
    return zn_tcp_listen(dp->tcp, *port_out);
}

// One burst from the device into TCP.
static unsigned receive(struct zn_accel_dp *dp)
{
    static _Thread_local struct zn_device_message burst[PACKETS];
    unsigned room = dp->data_max - dp->data_ready;
    if (room == 0)
        return 0;
    unsigned count = dp->device->ops->receive(dp->device, burst, room < PACKETS ? room : PACKETS);
    for (unsigned i = 0; i < count; i++) {
        const struct zn_device_message *message = &burst[i];
        for (unsigned k = 0; k < message->records_len; k++)
            zn_tcp_record(dp->tcp, &message->records[k]);
        if (message->annotation != NULL)
            zn_tcp_packet(dp->tcp, message->annotation, message->packet, message->len);
    }
    return count;
}

static void turn(struct zn_accel_dp *dp, unsigned max)
{
    dp->data_max = max < ZN_ACCEL_RECVS ? max : ZN_ACCEL_RECVS;
    dp->area_used = 0;
    clocks(dp);
    zn__accel_offload(dp);
    zn__accel_want_again(dp);
    dp->tcp_wake_ns = zn_tcp_poll(dp->tcp, dp->base.now_ns);
    receive(dp);
    zn_tcp_flush(dp->tcp);
    dp->device->ops->flush(dp->device);
}

// Sleeps until there may be something, for a while at the most.
static void rest(const struct zn_accel_dp *dp, uint64_t until_ns)
{
    uint64_t now = clock_ns();
    if (now >= until_ns || now - dp->base.now_ns < dp->accel.busy_poll_us * 1000ull)
        return;
    uint64_t ns = until_ns - now < SLEEP_NS ? until_ns - now : SLEEP_NS;
    nanosleep(&(struct timespec){ .tv_nsec = (long)ns }, NULL);
}

static int accel_poll(struct zn_dp *base, struct zn_dp_event *events, unsigned max,
                      uint64_t timeout_ns)
{
    struct zn_accel_dp *dp = (struct zn_accel_dp *)base;
    uint64_t begin = clock_ns();
    uint64_t until = timeout_ns > UINT64_MAX - begin ? UINT64_MAX : begin + timeout_ns;
    for (;;) {
        turn(dp, max);
        int count = zn__accel_events(dp, events, max);
        if (count != 0 || dp->base.now_ns >= until ||
            __atomic_exchange_n(&dp->woken, 0, __ATOMIC_ACQUIRE))
            return count;
        rest(dp, until);
    }
}

static bool same_bytes(const struct zn_dp_send *a, const struct zn_dp_send *b)
{
    return a->iov_len == 1 && b->iov_len == 1 && a->iov->iov_base == b->iov->iov_base &&
           a->iov->iov_len == b->iov->iov_len;
}

static void send_result(struct zn_accel_dp *dp, struct zn_stream *stream,
                        const struct zn_dp_send *entry, int err)
{
    size_t len = 0;
    for (unsigned i = 0; i < entry->iov_len; i++)
        len += entry->iov[i].iov_len;
    stream->held += len; // of a stream that breaks, GONE accounts for them
    if (err == 0)
        return;
    zn__accel_break(dp, stream, err);
}

// Entries of the same bytes are a broadcast.
static unsigned send_same(struct zn_accel_dp *dp, struct zn_dp_send *burst, unsigned len)
{
    struct zn_tcp_conn *conns[PACKETS];
    int results[PACKETS];
    unsigned count = 1;
    conns[0] = burst[0].stream->conn;
    while (count < len && count < PACKETS && same_bytes(&burst[0], &burst[count])) {
        conns[count] = burst[count].stream->conn;
        count++;
    }
    if (count == 1)
        return 0;
    zn_tcp_broadcast(dp->tcp, conns, count, burst[0].iov->iov_base, burst[0].iov->iov_len, results);
    for (unsigned i = 0; i < count; i++) {
        burst[i].taken = 0;
        send_result(dp, burst[i].stream, &burst[i], results[i]);
    }
    return count;
}

static void accel_send(struct zn_dp *base, struct zn_dp_send *burst, unsigned burst_len)
{
    struct zn_accel_dp *dp = (struct zn_accel_dp *)base;
    for (unsigned i = 0; i < burst_len;) {
        unsigned same = send_same(dp, burst + i, burst_len - i);
        if (same == 0) {
            struct zn_dp_send *entry = &burst[i];
            entry->taken = 0;
            send_result(dp, entry->stream, entry,
                        zn_tcp_send(entry->stream->conn, entry->iov, entry->iov_len));
            same = 1;
        }
        i += same;
    }
    zn_tcp_flush(dp->tcp);
    dp->device->ops->flush(dp->device);
}

static void accel_want(struct zn_dp *base, struct zn_stream *stream, bool recv)
{
    (void)base;
    stream->flags = recv ? stream->flags | ZN_ACCEL_WANTED : stream->flags & ~ZN_ACCEL_WANTED;
    if (!(stream->flags & ZN_ACCEL_SPENT))
        zn_tcp_want(stream->conn, recv);
}

static void accel_end(struct zn_dp *base, struct zn_stream *stream, enum zn_dp_end how)
{
    (void)base;
    if (how == ZN_END_FIN) {
        zn_tcp_shutdown(stream->conn);
        return;
    }
    stream->flags |= ZN_ACCEL_ENDED;
    if (stream->held != 0)
        stream->flags |= ZN_ACCEL_OWES;
    zn_tcp_release(stream->conn, how == ZN_END_RESET);
}

static void accel_detach(struct zn_dp *base, struct zn_stream *stream)
{
    zn__accel_break((struct zn_accel_dp *)base, stream, -EOPNOTSUPP);
}

static int accel_adopt(struct zn_dp *base, struct zn_dp_handle handle, void *cookie)
{
    (void)base;
    (void)cookie;
    handle.drop(&handle);
    return -EOPNOTSUPP;
}

static void accel_wake(struct zn_dp *base)
{
    __atomic_store_n(&((struct zn_accel_dp *)base)->woken, 1, __ATOMIC_RELEASE);
}

const struct zn_dp_ops zn_dp_accel = {
    .name = "dpdk",
    .caps = ZN_DP_CAP_ASYNC | ZN_DP_CAP_PIPELINE | ZN_DP_CAP_FRAMES,
    .open = accel_open,
    .close = accel_close,
    .listen = accel_listen,
    .poll = accel_poll,
    .send = accel_send,
    .want = accel_want,
    .end = accel_end,
    .detach = accel_detach,
    .adopt = accel_adopt,
    .wake = accel_wake,
};

// SPDX-License-Identifier: Apache-2.0
// The C model as a device. Packets are treated where they lie; records and packets that commands
// make are collected until the next receive.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "device/device.h"
#include "soft/soft.h"

enum {
    BURST = 256,
    RECORDS_MIN = 4096,
    MESSAGE_MAX = 1 << 17, // header, payload, list
    HEARTBEAT_SCAN = 1024, // flows looked at in one receive
};

struct soft_device {
    struct zn_device base;
    struct zn_wire *wire;
    struct zn_soft *soft;
    struct zn_wire_packet packets[BURST];
    struct zn_acc_rx_annotation annotations[BURST];
    // Two sets, so that those that were handed out stay while new ones are made.
    struct zn_acc_report_record *records[2];
    unsigned room[2];
    unsigned filling, filled;
    uint8_t message[MESSAGE_MAX];
};

static void on_wire(void *user, const struct iovec *iov, unsigned iov_len)
{
    struct soft_device *device = user;
    size_t len = 0;
    for (unsigned i = 0; i < iov_len; i++)
        len += iov[i].iov_len;
    if (device->wire->ops->send(device->wire, iov, iov_len)) {
        device->base.stats.tx_packets++;
        device->base.stats.tx_bytes += len;
    } else {
        device->base.stats.tx_full++; // lost like any packet of a full link
    }
}

static void on_record(void *user, const struct zn_acc_report_record *record)
{
    struct soft_device *device = user;
    device->records[device->filling][device->filled++] = *record; // command() made room
}

static uint32_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static unsigned take_records(struct soft_device *device, struct zn_device_message *message)
{
    if (device->filled == 0)
        return 0;
    *message = (struct zn_device_message){ .records = device->records[device->filling],
                                           .records_len = device->filled };
    device->filling ^= 1;
    device->filled = 0;
    return 1;
}

// Room for the records of one more message and of a receive. How many there can be at a time
// follows from what the host may have outstanding.
static int make_room(struct soft_device *device, unsigned more)
{
    unsigned set = device->filling;
    unsigned room = device->room[set] != 0 ? device->room[set] : RECORDS_MIN;
    while (room < device->filled + more + 2 * BURST + HEARTBEAT_SCAN)
        room *= 2;
    if (room == device->room[set])
        return 0;
    void *records = realloc(device->records[set], room * sizeof(**device->records));
    if (records == NULL)
        return -ENOMEM;
    device->records[set] = records;
    device->room[set] = room;
    return 0;
}

static unsigned soft_receive(struct zn_device *base, struct zn_device_message *burst, unsigned max)
{
    struct soft_device *device = (struct soft_device *)base;
    zn_soft_set_time(device->soft, now_ms());
    unsigned count = take_records(device, burst);
    if (make_room(device, 0) != 0)
        return count; // try again when there is memory
    unsigned room = max - count < BURST ? max - count : BURST;
    unsigned packets = device->wire->ops->receive(device->wire, device->packets, room);
    for (unsigned i = 0; i < packets; i++) {
        struct zn_wire_packet *packet = &device->packets[i];
        zn_soft_receive(device->soft, packet->bytes, packet->len, false, true,
                        &device->annotations[i]);
        base->stats.rx_packets++;
        base->stats.rx_bytes += packet->len;
        burst[count++] = (struct zn_device_message){ .annotation = &device->annotations[i],
                                                     .packet = packet->bytes,
                                                     .len = packet->len };
    }
    zn_soft_poll(device->soft, HEARTBEAT_SCAN);
    return count;
}

static void soft_command(struct zn_device *base, const struct zn_acc_command *command,
                         const struct iovec *body, unsigned body_len)
{
    struct soft_device *device = (struct soft_device *)base;
    size_t len = sizeof(*command);
    memcpy(device->message, command, len);
    for (unsigned i = 0; i < body_len; i++) {
        if (body[i].iov_len == 0)
            continue;
        if (len + body[i].iov_len > MESSAGE_MAX) {
            base->stats.bad++;
            return;
        }
        memcpy(device->message + len, body[i].iov_base, body[i].iov_len);
        len += body[i].iov_len;
    }
    if (make_room(device, command->ids + 1u) != 0)
        abort(); // a lost record would be a lost connection for each flow in it
    zn_soft_command(device->soft, device->message, len);
}

static void soft_flush(struct zn_device *base)
{
    struct soft_device *device = (struct soft_device *)base;
    device->wire->ops->flush(device->wire);
}

static uint32_t soft_read(struct zn_device *base, uint32_t reg)
{
    return zn_soft_read(((struct soft_device *)base)->soft, reg);
}

static void soft_write(struct zn_device *base, uint32_t reg, uint32_t value)
{
    zn_soft_write(((struct soft_device *)base)->soft, reg, value);
}

static void soft_close(struct zn_device *base)
{
    struct soft_device *device = (struct soft_device *)base;
    device->wire->ops->close(device->wire);
    zn_soft_destroy(device->soft);
    free(device->records[0]);
    free(device->records[1]);
    free(device);
}

static const struct zn_device_ops soft_ops = {
    .name = "soft",
    .receive = soft_receive,
    .command = soft_command,
    .flush = soft_flush,
    .read = soft_read,
    .write = soft_write,
    .close = soft_close,
};

int zn_device_soft_open(struct zn_wire *wire, uint32_t flows, struct zn_device **device_out)
{
    struct soft_device *device = calloc(1, sizeof(*device));
    if (device == NULL)
        return -ENOMEM;
    uint32_t buckets = 16;
    while (buckets < flows / 2)
        buckets *= 2;
    struct zn_soft_config config = {
        .flows = flows,
        .members = flows,
        .buckets = buckets,
        .payload_max = 65535 - 128,
        .packet_max = 65535,
        .replies_max = 256,
        .sink = { on_wire, on_record, device },
    };
    int err = zn_soft_create(&config, &device->soft);
    if (err != 0) {
        free(device);
        return err;
    }
    device->wire = wire;
    device->base.ops = &soft_ops;
    device->base.mtu = wire->mtu;
    device->base.flows = flows;
    memcpy(device->base.mac, wire->mac, sizeof(wire->mac));
    *device_out = &device->base;
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// A core behind the wire: packets to the host begin with their 64-byte header, packets from the
// host with their command. Registers are not in band; a shell's own driver sets them up before the
// server starts.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/device.h"

enum { BURST = 256, PIECES_MAX = 8 };

struct hw_device {
    struct zn_device base;
    struct zn_wire *wire;
    struct zn_wire_packet packets[BURST];
};

static unsigned hw_receive(struct zn_device *base, struct zn_device_message *burst, unsigned max)
{
    struct hw_device *device = (struct hw_device *)base;
    unsigned packets =
        device->wire->ops->receive(device->wire, device->packets, max < BURST ? max : BURST);
    unsigned count = 0;
    for (unsigned i = 0; i < packets; i++) {
        if (!zn_device_message_read(device->packets[i].bytes, device->packets[i].len,
                                    &burst[count])) {
            base->stats.bad++;
            continue;
        }
        base->stats.rx_packets += burst[count].annotation != NULL;
        base->stats.rx_bytes += burst[count].len;
        count++;
    }
    return count;
}

static void hw_command(struct zn_device *base, const struct zn_acc_command *command,
                       const struct iovec *body, unsigned body_len)
{
    struct hw_device *device = (struct hw_device *)base;
    struct iovec pieces[PIECES_MAX] = { { (void *)command, sizeof(*command) } };
    if (body_len > PIECES_MAX - 1) {
        base->stats.bad++;
        return;
    }
    memcpy(pieces + 1, body, body_len * sizeof(*body));
    if (device->wire->ops->send(device->wire, pieces, body_len + 1))
        base->stats.tx_packets++;
    else
        base->stats.tx_full++;
}

static void hw_flush(struct zn_device *base)
{
    struct hw_device *device = (struct hw_device *)base;
    device->wire->ops->flush(device->wire);
}

static uint32_t hw_read(struct zn_device *base, uint32_t reg)
{
    (void)base;
    (void)reg;
    return 0;
}

static void hw_write(struct zn_device *base, uint32_t reg, uint32_t value)
{
    (void)base;
    (void)reg;
    (void)value;
}

static void hw_close(struct zn_device *base)
{
    struct hw_device *device = (struct hw_device *)base;
    device->wire->ops->close(device->wire);
    free(device);
}

static const struct zn_device_ops hw_ops = {
    .name = "hw",
    .receive = hw_receive,
    .command = hw_command,
    .flush = hw_flush,
    .read = hw_read,
    .write = hw_write,
    .close = hw_close,
};

int zn_device_hw_open(struct zn_wire *wire, uint32_t flows, struct zn_device **device_out)
{
    struct hw_device *device = calloc(1, sizeof(*device));
    if (device == NULL)
        return -ENOMEM;
    device->wire = wire;
    device->base.ops = &hw_ops;
    device->base.mtu = wire->mtu;
    device->base.flows = flows;
    memcpy(device->base.mac, wire->mac, sizeof(wire->mac));
    *device_out = &device->base;
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// The Verilated core as a device: packets of the wire go through the RTL, and come out annotated.
// Simulated time runs beside real time: so many cycles a millisecond, whether there is work or not,
// so that heartbeats and rate limits mean the same as on silicon.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/zn_sim.h"
#include "device/device.h"

enum {
    BURST = 64,
    MESSAGE_MAX = 16384,
    CYCLES_A_MS = 200,  // of the core's clock
    CYCLES_A_LOOK = 64, // clocked before it is looked whether something came out
    IDLE_LOOKS = 8,     // looks without anything: the core is done for now
    FLUSH_LOOKS = 1000, // what is left then goes on with the next receive
    QUEUED_MAX = 256,   // packets from the wire that wait for the core
    REPORT_WAIT = 64,   // cycles
};

struct sim_device {
    struct zn_device base;
    struct zn_wire *wire;
    struct zn_sim *sim;
    uint64_t start_ms;
    uint64_t ticked_ms;
    uint8_t packet[MESSAGE_MAX];
    uint8_t messages[BURST][MESSAGE_MAX];
};

static uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void wire_out(struct sim_device *device)
{
    long len;
    while ((len = zn_sim_pop_wire(device->sim, device->packet, MESSAGE_MAX, NULL)) > 0) {
        struct iovec iov = { device->packet, (size_t)len };
        if (device->wire->ops->send(device->wire, &iov, 1)) {
            device->base.stats.tx_packets++;
            device->base.stats.tx_bytes += (uint64_t)len;
        } else {
            device->base.stats.tx_full++;
        }
    }
}

// Appends what came out for the host to burst[count, max); the new count.
static unsigned host_out(struct sim_device *device, struct zn_device_message *burst, unsigned count,
                         unsigned max)
{
    while (count < max) {
        uint8_t *bytes = device->messages[count];
        long len = zn_sim_pop_host(device->sim, bytes, MESSAGE_MAX, NULL);
        if (len <= 0)
            break;
        if (!zn_device_message_read(bytes, (size_t)len, &burst[count])) {
            device->base.stats.bad++;
            continue;
        }
        device->base.stats.rx_packets += burst[count].annotation != NULL;
        device->base.stats.rx_bytes += burst[count].len;
        count++;
    }
    return count;
}

static bool has_input(const struct sim_device *device)
{
    return zn_sim_queued(device->sim, ZN_SIM_WIRE_IN) != 0 ||
           zn_sim_queued(device->sim, ZN_SIM_HOST_IN) != 0;
}

static void wire_in(struct sim_device *device)
{
    struct zn_wire_packet packets[BURST];
    if (zn_sim_queued(device->sim, ZN_SIM_WIRE_IN) > QUEUED_MAX)
        return;
    unsigned count = device->wire->ops->receive(device->wire, packets, BURST);
    for (unsigned i = 0; i < count; i++)
        zn_sim_push_wire(device->sim, packets[i].bytes, packets[i].len, false);
}

// Time that passed without work.
static void tick(struct sim_device *device)
{
    uint64_t now = clock_ms() - device->start_ms;
    uint64_t cycles = zn_sim_cycles(device->sim);
    uint64_t due = now * CYCLES_A_MS;
    if (cycles < due)
        zn_sim_clock(device->sim,
                     (unsigned)(due - cycles < CYCLES_A_MS ? due - cycles : CYCLES_A_MS));
}

static unsigned sim_receive(struct zn_device *base, struct zn_device_message *burst, unsigned max)
{
    struct sim_device *device = (struct sim_device *)base;
    unsigned count = 0;
    if (max > BURST)
        max = BURST;
    wire_in(device);
    tick(device);
    for (int idle = 0; idle < IDLE_LOOKS && count < max;) {
        unsigned before = count;
        zn_sim_clock(device->sim, CYCLES_A_LOOK);
        count = host_out(device, burst, count, max);
        wire_out(device);
        idle = count != before || has_input(device) ? 0 : idle + 1;
    }
    device->wire->ops->flush(device->wire);
    return count;
}

static void sim_command(struct zn_device *base, const struct zn_acc_command *command,
                        const struct iovec *body, unsigned body_len)
{
    struct sim_device *device = (struct sim_device *)base;
    size_t len = sizeof(*command);
    memcpy(device->packet, command, len);
    for (unsigned i = 0; i < body_len; i++) {
        if (body[i].iov_len > MESSAGE_MAX - len) {
            base->stats.bad++;
            return;
        }
        if (body[i].iov_len != 0)
            memcpy(device->packet + len, body[i].iov_base, body[i].iov_len);
        len += body[i].iov_len;
    }
    zn_sim_push_host(device->sim, device->packet, len);
}

static void sim_flush(struct zn_device *base)
{
    struct sim_device *device = (struct sim_device *)base;
    for (int i = 0; i < FLUSH_LOOKS && zn_sim_queued(device->sim, ZN_SIM_HOST_IN) != 0; i++) {
        zn_sim_clock(device->sim, CYCLES_A_LOOK);
        wire_out(device);
    }
    device->wire->ops->flush(device->wire);
}

static uint32_t sim_read(struct zn_device *base, uint32_t reg)
{
    return zn_sim_read(((struct sim_device *)base)->sim, reg);
}

static void sim_write(struct zn_device *base, uint32_t reg, uint32_t value)
{
    zn_sim_write(((struct sim_device *)base)->sim, reg, value);
}

static void sim_close(struct zn_device *base)
{
    struct sim_device *device = (struct sim_device *)base;
    device->wire->ops->close(device->wire);
    zn_sim_destroy(device->sim);
    free(device);
}

static const struct zn_device_ops sim_ops = {
    .name = "sim",
    .receive = sim_receive,
    .command = sim_command,
    .flush = sim_flush,
    .read = sim_read,
    .write = sim_write,
    .close = sim_close,
};

int zn_device_sim_open(struct zn_wire *wire, struct zn_device **device_out)
{
    struct sim_device *device = calloc(1, sizeof(*device));
    if (device == NULL)
        return -ENOMEM;
    int err = zn_sim_create(NULL, 1, &device->sim);
    if (err != 0) {
        free(device);
        return err;
    }
    device->wire = wire;
    device->base.ops = &sim_ops;
    device->base.mtu = wire->mtu;
    device->base.flows = zn_sim_built(device->sim)->flows;
    memcpy(device->base.mac, wire->mac, sizeof(wire->mac));
    device->start_ms = clock_ms();
    zn_sim_write(device->sim, ZN_REG_MS_CYCLES, CYCLES_A_MS);
    zn_sim_write(device->sim, ZN_REG_REPORT_WAIT, REPORT_WAIT);
    *device_out = &device->base;
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// See nic.h. DPDK is linked into zapnic-dpdk only; here its two functions are weak.
#include "nic.h"

#include "datapath/accel.h"
#include "device/ethdev.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { DEVICES_MAX = 64, EAL_ARGS_MAX = 64, FLOWS_MAX = 1 << 20 };

#pragma weak zn_ethdev_init
#pragma weak zn_ethdev_open
#pragma weak zn_device_sim_open

const char *const zn__settings_accels[] = { "soft", "hw", "sim", NULL };

static struct zn_device *devices[DEVICES_MAX];

// "10.0.0.1", "fd00::1" or both with a comma between.
static int addresses(const char *text, struct zn_accel_config *config)
{
    char copy[128];
    char *rest = copy;
    char *word;
    snprintf(copy, sizeof(copy), "%s", text);
    while ((word = strsep(&rest, ",")) != NULL)
        if (inet_pton(AF_INET, word, config->ip4) != 1 &&
            inet_pton(AF_INET6, word, config->ip6) != 1)
            return -EINVAL;
    return 0;
}

static int eal_start(int argc, char **argv, char *err_out)
{
    // Without arguments: one core, no PCI scan, ordinary pages, nothing shared, so that it works
    // anywhere.
    static char *plain[] = { "zapnic",      "--no-huge",      "-m", "512", "--no-pci",
                             "--no-shconf", "--no-telemetry", "-l", "0" };
    char *args[EAL_ARGS_MAX] = { "zapnic" };
    if (argc == 0) {
        argc = (int)(sizeof(plain) / sizeof(*plain));
        memcpy(args, plain, sizeof(plain));
    } else if (argc < EAL_ARGS_MAX - 1) {
        memcpy(args + 1, argv, (size_t)argc * sizeof(*argv));
        argc++;
    } else {
        snprintf(err_out, ZN_SETTINGS_ERR, "too many arguments behind --");
        return -EINVAL;
    }
    int err = zn_ethdev_init(argc, args);
    if (err != 0)
        snprintf(err_out, ZN_SETTINGS_ERR,
                 "DPDK did not start; its reason is above. Arguments for it go behind --, such as "
                 "`-- --no-huge -m 512 --no-pci -l 0`");
    return err;
}

static int device_open(const struct zn_settings *s, struct zn_wire *wire, struct zn_device **device)
{
    uint32_t flows = s->connections < FLOWS_MAX ? (uint32_t)s->connections : FLOWS_MAX;
    const char *accel = zn__settings_accels[s->accel];
    if (strcmp(accel, "soft") == 0)
        return zn_device_soft_open(wire, flows, device);
    if (strcmp(accel, "hw") == 0)
        return zn_device_hw_open(wire, flows, device);
    return zn_device_sim_open == NULL ? -ENOSYS : zn_device_sim_open(wire, device);
}

static int devices_open(const struct zn_settings *s, struct zn_wire **wires, unsigned count,
                        char *err_out)
{
    for (unsigned i = 0; i < count; i++) {
        int err = device_open(s, wires[i], &devices[i]);
        if (err != 0) {
            snprintf(err_out, ZN_SETTINGS_ERR, "--accel %s: %s%s", zn__settings_accels[s->accel],
                     strerror(-err), err == -ENOSYS ? "; zapnic-sim has it (make sim-run)" : "");
            return err;
        }
    }
    return 0;
}

int zn__nic_open(const struct zn_settings *settings, int argc, char **argv,
                 char err_out[ZN_SETTINGS_ERR])
{
    struct zn_accel_config config = { .devices = devices,
                                      .mtu = (uint16_t)settings->mtu,
                                      .shared = settings->shared_address,
                                      .busy_poll_us = (uint32_t)settings->busy_poll_us };
    struct zn_wire *wires[DEVICES_MAX];
    config.devices_len = settings->threads == 0 ? 1 : (unsigned)settings->threads;
    if (zn_ethdev_init == NULL) {
        snprintf(err_out, ZN_SETTINGS_ERR,
                 "this program was built without DPDK; zapnic-dpdk has it (make dpdk)");
        return -ENOSYS;
    }
    if (settings->address == NULL || addresses(settings->address, &config) != 0) {
        snprintf(err_out, ZN_SETTINGS_ERR,
                 "--datapath dpdk needs --address, the IP address that the port answers to, such "
                 "as 10.0.0.1 or 10.0.0.1,fd00::1");
        return -EINVAL;
    }
    int err = eal_start(argc, argv, err_out);
    if (err != 0)
        return err;
    err = config.devices_len > DEVICES_MAX
              ? -ENOTSUP
              : zn_ethdev_open(settings->device, config.devices_len, config.mtu, wires);
    if (err != 0) {
        snprintf(err_out, ZN_SETTINGS_ERR, "--device %.100s: %s%s", settings->device,
                 strerror(-err),
                 err == -ENOTSUP ? "; it has not so many queues: use --threads 1" : "");
        return err;
    }
    err = devices_open(settings, wires, config.devices_len, err_out);
    if (err == 0)
        zn_accel_configure(&config);
    return err;
}

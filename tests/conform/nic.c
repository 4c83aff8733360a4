// SPDX-License-Identifier: Apache-2.0
// The conformance server on a NIC: `--datapath dpdk` with the port, address and accelerator that
// ZN_NIC_DEVICE, ZN_NIC_ADDRESS and ZN_NIC_ACCEL say, so that suites made for sockets run
// unchanged.
#include "conform.h"

#include "service/nic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set_from(struct zn_settings *settings, const char *name, const char *variable,
                    char err[ZN_SETTINGS_ERR])
{
    const char *value = getenv(variable);
    return value == NULL ? 0 : zn__settings_set(settings, name, value, ZN_SOURCE_ENV, err);
}

int conform_nic_open(const struct conform *conform)
{
    static struct zn_settings settings;
    char err[ZN_SETTINGS_ERR] = "no memory";
    if (strcmp(conform->server_options.datapath, "dpdk") != 0)
        return 0;
    int status = zn__settings_init(&settings);
    if (status == 0)
        status = set_from(&settings, "device", "ZN_NIC_DEVICE", err);
    if (status == 0)
        status = set_from(&settings, "address", "ZN_NIC_ADDRESS", err);
    if (status == 0)
        status = set_from(&settings, "accel", "ZN_NIC_ACCEL", err);
    settings.threads = conform->server_options.threads;
    settings.connections = 4096;
    settings.shared_address = true; // suites start several servers
    if (status == 0)
        status = zn__nic_open(&settings, 0, NULL, err);
    if (status < 0)
        fprintf(stderr, "zapnic-conform: %s\n", err);
    zn__settings_deinit(&settings);
    return status;
}

// SPDX-License-Identifier: Apache-2.0
// `--datapath dpdk`: opens the port and the accelerator before it, and gives them to the datapath.
#ifndef ZN_NIC_H
#define ZN_NIC_H

#include "settings.h"

extern const char *const zn__settings_accels[]; // NULL-terminated

// `argv[0, argc)` are what stands behind `--` on the command line: DPDK's own arguments. 0 or
// negative errno with a sentence in err_out. Once a process; the datapath closes the devices.
int zn__nic_open(const struct zn_settings *settings, int argc, char **argv,
                 char err_out[ZN_SETTINGS_ERR]);

#endif

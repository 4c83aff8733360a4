// SPDX-License-Identifier: Apache-2.0
// DPDK's environment, and its ports as wires. Only this file's C file includes DPDK.
#ifndef ZN_ETHDEV_H
#define ZN_ETHDEV_H

#include "device/device.h"

// Starts the environment with DPDK's own arguments (`argv[0]` is the program). Once a process. 0,
// or -EINVAL, after DPDK said why on stderr.
int zn_ethdev_init(int argc, char **argv);

// The port that `name` says: a device of the environment ("net_tap0"), an index ("0"), or device
// arguments, which make one
// ("net_af_packet0,iface=eth0"). `queues` queue pairs, one wire each in wires[queues]. 0, -ENODEV,
// -ENOTSUP: not so many queues; -ENOMEM, -EIO.
int zn_ethdev_open(const char *name, unsigned queues, uint16_t mtu, struct zn_wire **wires);

#endif

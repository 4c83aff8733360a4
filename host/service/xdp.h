// SPDX-License-Identifier: Apache-2.0
// `zapnic xdp`: shares an interface between the kernel and a server on AF_XDP.
//
// Thread: the main thread.
#ifndef ZN_SERVICE_XDP_H
#define ZN_SERVICE_XDP_H

// argv[0] is the sub-command. The exit status of the process: 0; 1: it could not; 2: wrong words.
int zn__xdp(int argc, char **argv);

#endif

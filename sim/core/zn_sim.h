// SPDX-License-Identifier: Apache-2.0
// The Verilated core as a library: what is behind its four streams and its registers, clocked by
// the caller. A MAC and a packet DMA are simulated around it: they cut packets into beats, put
// beats together, and stall as they are told.
//
// Thread: one instance, one thread; instances share nothing. Nothing happens but in zn_sim_clock(),
// zn_sim_read() and zn_sim_write(). An assertion of the RTL that fails aborts the program.
#ifndef ZN_SIM_H
#define ZN_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct zn_sim;

// What the core was built with; they are parameters of the RTL.
struct zn_sim_params {
    uint32_t data_bits;
    uint32_t flows;
    uint32_t buckets;
    uint32_t members;
    uint32_t payload_max;
    uint32_t packet_max;
    uint32_t skips;
};

enum zn_sim_port {
    ZN_SIM_WIRE_IN,  // from the MAC
    ZN_SIM_HOST_OUT, // to the host
    ZN_SIM_HOST_IN,  // from the host
    ZN_SIM_WIRE_OUT, // to the MAC
    ZN_SIM_PORTS
};

// Cycles in which a packet's first and last beat were taken.
struct zn_sim_stamp {
    uint64_t first;
    uint64_t last;
};

struct zn_sim_port_count {
    uint64_t beats;
    uint64_t refused; // cycles in which a beat was offered and not taken
};

// Makes a core out of reset, ready to take packets. A field of `params` that is not 0 has to be
// what the library was built with, else -EINVAL; `params` may be NULL. `seed` decides the stalls
// and what memories hold before they are written. 0 or a negative errno.
int zn_sim_create(const struct zn_sim_params *params, uint64_t seed, struct zn_sim **sim_out);
void zn_sim_destroy(struct zn_sim *sim);
const struct zn_sim_params *zn_sim_built(const struct zn_sim *sim);

// Waveforms from now on, as FST; -ENOTSUP unless built with TRACE=1.
int zn_sim_trace(struct zn_sim *sim, const char *path);

// Queue a packet from the wire (without FCS; `broken`: the MAC's mark) or a message from the host.
// The bytes are copied.
void zn_sim_push_wire(struct zn_sim *sim, const void *packet, size_t len, bool broken);
void zn_sim_push_host(struct zn_sim *sim, const void *message, size_t len);
// Packets queued that the core has not taken whole.
size_t zn_sim_queued(const struct zn_sim *sim, enum zn_sim_port port);

// The oldest packet that came out: its length, -EAGAIN if there is none, -EMSGSIZE if `size` is too
// small for it (it stays). `stamp` may be NULL.
long zn_sim_pop_wire(struct zn_sim *sim, void *packet, size_t size, struct zn_sim_stamp *stamp);
long zn_sim_pop_host(struct zn_sim *sim, void *message, size_t size, struct zn_sim_stamp *stamp);

void zn_sim_clock(struct zn_sim *sim, unsigned cycles);
uint64_t zn_sim_cycles(const struct zn_sim *sim);

// Registers, over AXI-Lite: some cycles pass.
uint32_t zn_sim_read(struct zn_sim *sim, uint32_t offset);
void zn_sim_write(struct zn_sim *sim, uint32_t offset, uint32_t value);

// From now on, before `percent` of the beats (input) or cycles (output), the port stalls for 1 to
// `longest` cycles.
void zn_sim_set_stall(struct zn_sim *sim, enum zn_sim_port port, unsigned percent,
                      unsigned longest);
struct zn_sim_port_count zn_sim_count(const struct zn_sim *sim, enum zn_sim_port port);

#ifdef __cplusplus
}
#endif

#endif

// SPDX-License-Identifier: Apache-2.0
// The device under test: the RTL core, or the C model in its place (which proves the harness, and
// finds what in it depends on the order that an RTL core happens to choose).
#ifndef ZN_COSIM_DEVICE_H
#define ZN_COSIM_DEVICE_H

#include <memory>

#include "bytes.h"
#include "model.h"

namespace cosim
{

// What the core was built with.
struct Params {
    uint32_t flows = 64;
    uint32_t members = 64;
    uint32_t buckets = 32;
    uint32_t payload_max = 2048;
    uint32_t packet_max = 2048;
    uint32_t skips = 16;
    uint32_t data_bits = 512;
};

// How a port stalls: in `percent` of the cycles a stall of 1 to `longest` cycles begins. 0: never.
struct Stall {
    unsigned percent = 0;
    unsigned longest = 1;
};

enum Port { PORT_WIRE_IN, PORT_HOST_OUT, PORT_HOST_IN, PORT_WIRE_OUT, PORT_COUNT };

// Cycles of the first and the last beat of a packet.
struct Stamp {
    uint64_t first = 0;
    uint64_t last = 0;
};

struct PortCount {
    uint64_t beats = 0;
    uint64_t refused = 0; // cycles with valid and without ready
};

class Device
{
  public:
    virtual ~Device() = default;
    virtual const Params &params() const = 0;
    // Queues without limit; what is in them goes in when the core takes it.
    virtual void wire_push(const Bytes &packet, bool broken) = 0;
    virtual void host_push(const Bytes &message) = 0;
    virtual bool wire_pop(Bytes &packet, Stamp &stamp) = 0;
    virtual bool host_pop(Bytes &message, Stamp &stamp) = 0;
    virtual void run(unsigned cycles) = 0;
    virtual uint32_t read(uint32_t offset) = 0;
    virtual void write(uint32_t offset, uint32_t value) = 0;
    // Lets `ms` pass while nothing is under way; returns the core's clock after it, which then
    // stands still.
    virtual uint32_t advance(uint32_t ms) = 0;
    virtual void set_stall(Port port, Stall stall) = 0;
    virtual PortCount count(Port port) const = 0;
    virtual uint64_t cycles() const = 0;
    // RTL: counters and pressure mean something.
    virtual bool is_rtl() const = 0;
};

std::unique_ptr<Device> device_create_model(uint64_t seed);
std::unique_ptr<Device> device_create_rtl(uint64_t seed);

} // namespace cosim

#endif

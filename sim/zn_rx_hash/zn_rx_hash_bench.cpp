// SPDX-License-Identifier: Apache-2.0
// The vectors that were published with receive-side scaling ("Verifying the RSS Hash Calculation"):
// source, destination and their ports, for both versions of IP, with and without ports. BENCH_Bytes
// says which of them this model takes.
#include <cstdio>
#include <vector>

#include <arpa/inet.h>
#include <verilated.h>

#include "Vdut.h"
#include "bench/stream.h"

namespace
{

struct Vector {
    const char *source;
    unsigned source_port;
    const char *destination;
    unsigned destination_port;
    uint32_t hash;       // of the addresses
    uint32_t hash_ports; // of addresses and ports
};

const uint8_t key[40] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                          0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                          0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                          0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa };

const std::vector<Vector> ipv4 = {
    { "66.9.149.187", 2794, "161.142.100.80", 1766, 0x323e8fc2, 0x51ccc178 },
    { "199.92.111.2", 14230, "65.69.140.83", 4739, 0xd718262a, 0xc626b0ea },
    { "24.19.198.95", 12898, "12.22.207.184", 38024, 0xd2d0a5de, 0x5c2b394a },
    { "38.27.205.30", 48228, "209.142.163.6", 2217, 0x82989176, 0xafc7327f },
    { "153.39.163.191", 44251, "202.188.127.2", 1303, 0x5d1809c5, 0x10e828a2 },
};

const std::vector<Vector> ipv6 = {
    { "3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766, 0x2cc18cd5, 0x40207d3d },
    { "3ffe:501:8::260:97ff:fe40:efab", 14230, "ff02::1", 4739, 0x0f0c461c, 0xdde51bbf },
    { "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, "fe80::200:f8ff:fe21:67cf", 38024, 0x4b61e985,
      0x02d1feef },
};

constexpr bool is_v6 = BENCH_Bytes >= 32;
constexpr bool has_ports = BENCH_Bytes == 12 || BENCH_Bytes == 36;

void put_port(zn::Bytes &message, unsigned port)
{
    message.push_back(static_cast<uint8_t>(port >> 8));
    message.push_back(static_cast<uint8_t>(port));
}

zn::Bytes message_of(const Vector &vector)
{
    const size_t each = is_v6 ? 16 : 4;
    zn::Bytes message(2 * each);
    inet_pton(is_v6 ? AF_INET6 : AF_INET, vector.source, &message[0]);
    inet_pton(is_v6 ? AF_INET6 : AF_INET, vector.destination, &message[each]);
    if (has_ports) {
        put_port(message, vector.source_port);
        put_port(message, vector.destination_port);
    }
    return message;
}

} // namespace

int main()
{
    const std::vector<Vector> &vectors = is_v6 ? ipv6 : ipv4;
    zn::Tap tap;
    VerilatedContext context;
    Vdut dut{ &context, "dut" };
    zn::Port message(dut.message_i), hash_key(dut.key_i);
    hash_key.set(zn::Bytes(key, key + BENCH_Bytes + 4));

    // One message a cycle; a hash comes two cycles later.
    for (size_t i = 0; i < vectors.size() + 2; i++) {
        if (i < vectors.size())
            message.set(message_of(vectors[i]));
        dut.clk_i = 0;
        dut.eval();
        if (i >= 2)
            tap.ok(dut.hash_o == (has_ports ? vectors[i - 2].hash_ports : vectors[i - 2].hash),
                   zn::text("vector_%zu_has_the_published_hash: %08x", i - 2, dut.hash_o));
        dut.clk_i = 1;
        dut.eval();
    }
    dut.final();
    return tap.done();
}

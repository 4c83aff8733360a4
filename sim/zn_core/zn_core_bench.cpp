// SPDX-License-Identifier: Apache-2.0
// How long a packet takes through the whole core, beat by beat, and how fast packets follow each
// other. What the core does with them is followed by the co-simulation (sim/cosim).
#include "bench/axil.h"
#include "contract/contract.h"

namespace
{

constexpr uint32_t first_seq = 1000;
constexpr uint8_t mask_key[4] = { 1, 2, 3, 4 };

// Takes a stream's packets and notes in which cycle each beat passed.
struct Timed : public zn::Agent {
    Timed(zn::Bench &bench, uint8_t &valid, uint8_t &ready)
        : bench(bench), valid(valid), ready(ready)
    {
    }
    void drive() override
    {
    }
    void sample() override
    {
        if (valid && ready)
            cycles.push_back(bench.now());
    }
    zn::Bench &bench;
    uint8_t &valid, &ready;
    std::vector<uint64_t> cycles;
};

void put16(zn::Bytes &bytes, uint32_t value)
{
    bytes.push_back(value >> 8 & 0xff);
    bytes.push_back(value & 0xff);
}

void put32(zn::Bytes &bytes, uint32_t value)
{
    put16(bytes, value >> 16);
    put16(bytes, value & 0xffff);
}

// The Internet checksum (RFC 1071) of bytes from `at` on, added to `sum`.
uint16_t checksum(const zn::Bytes &bytes, size_t at, size_t end, uint32_t sum)
{
    for (size_t i = at; i < end; i += 2)
        sum += bytes[i] << 8 | (i + 1 < end ? bytes[i + 1] : 0);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}

void set16(zn::Bytes &bytes, size_t at, uint16_t value)
{
    bytes[at] = value >> 8;
    bytes[at + 1] = value & 0xff;
}

// A TCP segment over IPv4 from 10.0.0.2:1000 to 10.0.0.1:80.
zn::Bytes segment(uint32_t seq, const zn::Bytes &payload)
{
    zn::Bytes p(12, 2);
    const uint32_t peer = 0x0a000002, local = 0x0a000001;
    put16(p, 0x0800);
    put16(p, 0x4500);
    put16(p, 40 + payload.size());
    put32(p, 0x00004000);
    put16(p, 64 << 8 | 6);
    put16(p, 0);
    put32(p, peer);
    put32(p, local);
    set16(p, 24, checksum(p, 14, 34, 0));
    put16(p, 1000);
    put16(p, 80);
    put32(p, seq);
    put32(p, 1);
    put16(p, 0x5010);
    put16(p, 512);
    put32(p, 0);
    p.insert(p.end(), payload.begin(), payload.end());
    const uint32_t pseudo = 2 * 0x0a00 + 2 + 1 + 6 + 20 + payload.size();
    set16(p, 50, checksum(p, 34, p.size(), pseudo));
    return p;
}

// A masked binary frame that makes a packet of `size` bytes, whose payload is zeros once unmasked.
zn::Bytes frame(size_t size)
{
    const size_t payload = size - 54, header = payload - 6 > 125 ? 8 : 6, length = payload - header;
    zn::Bytes bytes = { 0x82 };
    bytes.push_back(0x80 | (header == 8 ? 126 : length));
    if (header == 8)
        put16(bytes, length);
    bytes.insert(bytes.end(), mask_key, mask_key + 4);
    for (size_t i = 0; i < length; i++)
        bytes.push_back(mask_key[i % 4]);
    return bytes;
}

zn::Bytes add_command()
{
    struct {
        struct zn_acc_command command;
        struct zn_acc_flow_address address;
    } message = {};
    message.command.kind = ZN_MSG_ADD;
    message.command.version = ZN_CONTRACT_VERSION;
    message.command.flow_flags = ZN_FLOW_RECEIVE;
    message.command.flow = 5;
    message.command.rcv_nxt = first_seq;
    message.command.max_frame = 1 << 20;
    message.command.mss = 1460;
    message.address.ip_version = 4;
    const uint8_t peer[] = { 10, 0, 0, 2 }, local[] = { 10, 0, 0, 1 };
    memcpy(message.address.peer_address, peer, 4);
    memcpy(message.address.local_address, local, 4);
    const uint8_t peer_port[] = { 1000 >> 8, 1000 & 255 }, local_port[] = { 0, 80 };
    memcpy(message.address.peer_port, peer_port, 2);
    memcpy(message.address.local_port, local_port, 2);
    const uint8_t *bytes = reinterpret_cast<const uint8_t *>(&message);
    return zn::Bytes(bytes, bytes + sizeof message);
}

class Rig
{
  public:
    Rig()
        : wire_in_({ dut().rx_valid_i, dut().rx_ready_o, dut().rx_data_i, dut().rx_keep_i,
                     dut().rx_last_i },
                   zn::Pause::never, 1),
          host_in_({ dut().host_tx_valid_i, dut().host_tx_ready_o, dut().host_tx_data_i,
                     dut().host_tx_keep_i, dut().host_tx_last_i },
                   zn::Pause::never, 2),
          host_out_({ dut().host_rx_valid_o, dut().host_rx_ready_i, dut().host_rx_data_o,
                      dut().host_rx_keep_o, dut().host_rx_last_o },
                    zn::Pause::never, 3),
          in_(bench_, dut().rx_valid_i, dut().rx_ready_o),
          out_(bench_, dut().host_rx_valid_o, dut().host_rx_ready_i),
          axil_(bench_, zn::axil_ports(dut()), 4)
    {
        dut().rx_bad_i = 0;
        dut().tx_ready_i = 1;
        for (zn::Agent *agent :
             std::initializer_list<zn::Agent *>{ &wire_in_, &host_in_, &host_out_, &in_, &out_ })
            bench_.add(*agent);
        bench_.reset();
        axil_.write(ZN_REG_REPORT_WAIT, 1);
        axil_.write(ZN_REG_CONTROL, 1);
        host_in_.send_packet(add_command());
        bench_.cycles(1000);
        host_out_.beats.clear();
        out_.cycles.clear();
    }

    // `count` packets of `size` bytes, one after the other, all treated; false if one was not.
    bool run(unsigned count, size_t size)
    {
        in_.cycles.clear();
        out_.cycles.clear();
        const zn::Bytes payload = frame(size);
        for (unsigned i = 0; i < count; i++, seq_ += payload.size())
            wire_in_.send_packet(segment(seq_, payload));
        bench_.cycles(count * ((size + 64) * 8 / BENCH_DataWidth + 2) + 1000);
        zn::Bytes message;
        for (unsigned i = 0; i < count; i++)
            if (!host_out_.fetch_packet(&message) || message[2] != ZN_REASON_OK ||
                message.size() != 64 + size || message.back() != 0)
                return false;
        return host_out_.beats.empty() && host_out_.breach().empty();
    }

    const std::vector<uint64_t> &in() const
    {
        return in_.cycles;
    }
    const std::vector<uint64_t> &out() const
    {
        return out_.cycles;
    }

  private:
    Vdut &dut()
    {
        return bench_.dut;
    }

    zn::Bench bench_;
    zn::Source wire_in_, host_in_;
    zn::Sink host_out_;
    Timed in_, out_;
    zn::Axil axil_;
    uint32_t seq_ = first_seq;
};

} // namespace

int main()
{
    zn::Tap tap;
    Rig rig;
    for (const size_t size : { 64u, 128u, 256u, 1514u }) {
        const bool treated = rig.run(1, size);
        if (!tap.ok(treated, zn::text("packet_of_%zu_bytes_is_treated", size)))
            continue;
        const uint64_t begin = rig.in().front();
        tap.note(zn::text("%zu bytes: beats in at cycles 0 to %d, out at %d to %d", size,
                          int(rig.in().back() - begin), int(rig.out().front() - begin),
                          int(rig.out().back() - begin)));
        tap.ok(rig.out().back() - rig.out().front() + 1 == rig.out().size(),
               zn::text("packet_of_%zu_bytes_leaves_without_a_gap", size));
    }
    for (const size_t size : { 64u, 256u, 1514u }) {
        const unsigned count = 200;
        const bool treated = rig.run(count, size);
        const uint64_t took = rig.out().back() - rig.out().front() + 1;
        tap.ok(treated && took == rig.out().size(),
               zn::text("packets_of_%zu_bytes_leave_one_beat_a_cycle", size));
        tap.note(zn::text("%u packets of %zu bytes: %zu beats in, %zu out in %d cycles", count,
                          size, rig.in().size(), rig.out().size(), int(took)));
    }
    return tap.done();
}

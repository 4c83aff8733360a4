// SPDX-License-Identifier: Apache-2.0
// The C model as a device under test: does its operations in a random order among those that the
// contract allows, batches records at random, and at random has no room for replies.
#include <algorithm>
#include <cstring>
#include <deque>
#include <stdexcept>

#include "device.h"

namespace cosim
{

namespace
{

enum { REPLIES_MAX = 8, CYCLES_AN_OPERATION = 6, BATCH_MAX = 28, FLOWS_A_SCAN = 8 };

class ModelDevice : public Device
{
  public:
    explicit ModelDevice(uint64_t seed);
    ~ModelDevice() override
    {
        zn_soft_destroy(soft_);
    }
    const Params &params() const override
    {
        return params_;
    }
    void wire_push(const Bytes &packet, bool broken) override
    {
        wire_in_.push_back({ packet, broken });
    }
    void host_push(const Bytes &message) override
    {
        host_in_.push_back(message);
    }
    bool wire_pop(Bytes &packet, Stamp &) override
    {
        return pop(wire_out_, packet);
    }
    bool host_pop(Bytes &message, Stamp &) override
    {
        return pop(host_out_, message);
    }
    void run(unsigned cycles) override;
    uint32_t read(uint32_t offset) override
    {
        return zn_soft_read(soft_, offset);
    }
    void write(uint32_t offset, uint32_t value) override
    {
        zn_soft_write(soft_, offset, value);
    }
    uint32_t advance(uint32_t ms) override;
    void set_stall(Port, Stall) override
    {
    }
    PortCount count(Port) const override
    {
        return {};
    }
    uint64_t cycles() const override
    {
        return cycles_;
    }
    bool is_rtl() const override
    {
        return false;
    }

  private:
    struct Packet {
        Bytes bytes;
        bool broken;
    };
    static bool pop(std::deque<Bytes> &from, Bytes &to);
    static void on_wire(void *user, const struct iovec *iov, unsigned len);
    static void on_record(void *user, const zn_acc_report_record *record);
    void operation();
    void receive();
    void command();
    void command_rx();
    void flush(std::vector<zn_acc_report_record> &records);

    Random random_;
    Params params_;
    zn_soft *soft_ = nullptr;
    uint64_t cycles_ = 0;
    uint32_t now_ms_ = 0;
    uint32_t next_beat_ = 0;
    bool broadcast_ = false;
    bool on_rx_ = false;
    std::deque<Packet> wire_in_;
    std::deque<Bytes> host_in_, rx_commands_, wire_out_, host_out_;
    Bytes current_;
    std::vector<zn_acc_report_record> batch_, rx_records_;
};

ModelDevice::ModelDevice(uint64_t seed) : random_(seed)
{
    zn_soft_config config = {};
    config.flows = params_.flows;
    config.members = params_.members;
    config.buckets = params_.buckets;
    config.payload_max = params_.payload_max;
    config.skips_max = params_.skips;
    config.packet_max = params_.packet_max;
    config.replies_max = REPLIES_MAX;
    config.sink.wire = on_wire;
    config.sink.record = on_record;
    config.sink.user = this;
    if (zn_soft_create(&config, &soft_) < 0)
        throw std::runtime_error("the model cannot be created");
}

bool ModelDevice::pop(std::deque<Bytes> &from, Bytes &to)
{
    if (from.empty())
        return false;
    to = std::move(from.front());
    from.pop_front();
    return true;
}

void ModelDevice::on_wire(void *user, const struct iovec *iov, unsigned len)
{
    Bytes packet;
    for (unsigned i = 0; i < len; i++) {
        auto *from = static_cast<const uint8_t *>(iov[i].iov_base);
        packet.insert(packet.end(), from, from + iov[i].iov_len);
    }
    static_cast<ModelDevice *>(user)->wire_out_.push_back(packet);
}

void ModelDevice::on_record(void *user, const zn_acc_report_record *record)
{
    auto *device = static_cast<ModelDevice *>(user);
    (device->on_rx_ ? device->rx_records_ : device->batch_).push_back(*record);
}

void ModelDevice::flush(std::vector<zn_acc_report_record> &records)
{
    zn_acc_report_header header = {};
    header.kind = ZN_MSG_REPORT;
    header.version = ZN_CONTRACT_VERSION;
    header.count = static_cast<uint16_t>(records.size());
    header.now_ms = now_ms_;
    const size_t beat = params_.data_bits / 8, body = records.size() * sizeof records[0];
    Bytes message(sizeof header + (body + beat - 1) / beat * beat);
    std::memcpy(message.data(), &header, sizeof header);
    std::memcpy(message.data() + sizeof header, records.data(), body);
    host_out_.push_back(message);
    records.clear();
}

void ModelDevice::receive()
{
    Packet packet = std::move(wire_in_.front());
    wire_in_.pop_front();
    zn_acc_rx_annotation annotation;
    zn_soft_receive(soft_, packet.bytes.data(), packet.bytes.size(), packet.broken,
                    random_.percent(90), &annotation);
    Bytes message(sizeof annotation);
    std::memcpy(message.data(), &annotation, sizeof annotation);
    append(message, packet.bytes);
    host_out_.push_back(message);
}

void ModelDevice::command()
{
    if (broadcast_) {
        broadcast_ = zn_soft_copy(soft_);
        return;
    }
    current_ = std::move(host_in_.front());
    host_in_.pop_front();
    const size_t records = batch_.size();
    if (zn_soft_command_tx(soft_, current_.data(), current_.size()))
        rx_commands_.push_back(current_);
    const bool refused = batch_.size() != records;
    broadcast_ = !refused && current_.size() >= sizeof(zn_acc_command) &&
                 (current_[0] == ZN_MSG_BROADCAST_LIST || current_[0] == ZN_MSG_BROADCAST_GROUP);
}

void ModelDevice::command_rx()
{
    const Bytes message = std::move(rx_commands_.front());
    rx_commands_.pop_front();
    on_rx_ = true;
    zn_soft_command_rx(soft_, message.data(), message.size());
    on_rx_ = false;
    flush(rx_records_);
}

void ModelDevice::operation()
{
    switch (random_.below(8)) {
    case 0:
    case 1:
    case 2:
        if (!wire_in_.empty())
            receive();
        break;
    case 3:
    case 4:
        if (broadcast_ || !host_in_.empty())
            command();
        break;
    case 5:
        if (!rx_commands_.empty())
            command_rx();
        break;
    case 6:
        zn_soft_reply(soft_);
        break;
    default:
        for (int i = 0; i < FLOWS_A_SCAN; i++)
            zn_soft_heartbeat(soft_, next_beat_++ % params_.flows);
        if (!batch_.empty() && (batch_.size() >= BATCH_MAX || random_.percent(20)))
            flush(batch_);
    }
}

void ModelDevice::run(unsigned cycles)
{
    for (unsigned i = 0; i < cycles; i += CYCLES_AN_OPERATION)
        operation();
    cycles_ += cycles;
}

uint32_t ModelDevice::advance(uint32_t ms)
{
    now_ms_ += ms;
    zn_soft_set_time(soft_, now_ms_);
    return now_ms_;
}

} // namespace

std::unique_ptr<Device> device_create_model(uint64_t seed)
{
    return std::make_unique<ModelDevice>(seed);
}

} // namespace cosim

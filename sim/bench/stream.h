// SPDX-License-Identifier: Apache-2.0
// Both ends of an AXI-Stream of the model, and when they pause. Bytes of a port are those of its
// Verilated variable: little-endian, lowest bits first, so byte i of a beat is byte i of the port.
//
// Thread: one.
#ifndef ZN_SIM_STREAM_H
#define ZN_SIM_STREAM_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "bench/tap.h"

namespace zn
{

using Bytes = std::vector<uint8_t>;

// A port of the model as bytes. A default Port is one that the stream does not have.
class Port
{
  public:
    Port() = default;
    template <class T>
    Port(T &variable) : bytes_(reinterpret_cast<uint8_t *>(&variable)), size_(sizeof variable)
    {
    }
    size_t size() const
    {
        return size_;
    }
    Bytes get() const
    {
        return Bytes(bytes_, bytes_ + size_);
    }
    // `value` may be shorter than the port; the rest becomes 0.
    void set(const Bytes &value);
    uint64_t number() const;
    void set_number(uint64_t value);

  private:
    uint8_t *bytes_ = nullptr;
    size_t size_ = 0;
};

// What stands on a stream in one cycle. `side` is one entry for each of Stream's side ports.
struct Beat {
    Bytes data;
    uint64_t keep = 0;
    bool last = false;
    std::vector<Bytes> side = {};
    bool operator==(const Beat &other) const
    {
        return data == other.data && keep == other.keep && last == other.last && side == other.side;
    }
};

// The ports of one stream, from the bench's point of view.
struct Stream {
    Port valid;
    Port ready;
    Port data;
    Port keep = {};
    Port last = {};
    std::vector<Port> side = {};
};

// When an end pauses.
enum class Pause {
    never,
    every_other, // every second cycle
    mostly,      // 3 of 4 cycles, at random
    sometimes,   // 1 of 4 cycles, at random
    bursts,      // long runs of pausing and of not pausing, at random
};
constexpr Pause all_pauses[] = { Pause::never, Pause::every_other, Pause::mostly, Pause::sometimes,
                                 Pause::bursts };
const char *pause_name(Pause pause);

class Pacer
{
  public:
    explicit Pacer(Pause pause, uint64_t stream) : pause_(pause), random_(stream)
    {
    }
    // Whether this cycle is a pause. Call once a cycle.
    bool paused();
    void set(Pause pause)
    {
        pause_ = pause;
    }

  private:
    Pause pause_;
    Random random_;
    uint64_t cycle_ = 0;
    uint64_t change_ = 0;
    bool burst_ = false;
};

// What takes part in a cycle: drive() before the clock rises, sample() at the edge.
class Agent
{
  public:
    virtual ~Agent() = default;
    virtual void drive() = 0;
    virtual void sample() = 0;
};

// Gives beats to an input stream of the model. A beat that was shown stays until it is taken.
class Source : public Agent
{
  public:
    Source(const Stream &stream, Pause pause, uint64_t random_stream)
        : stream_(stream), pacer_(pause, random_stream)
    {
    }
    void send(Beat beat)
    {
        beats_.push_back(std::move(beat));
    }
    // Cuts a packet of at least one byte into beats; each has `side`.
    void send_packet(const Bytes &packet, const std::vector<Bytes> &side = {});
    // Nothing waits to be taken.
    bool idle() const
    {
        return beats_.empty();
    }
    // Beats taken so far.
    uint64_t taken() const
    {
        return taken_;
    }
    void set_pause(Pause pause)
    {
        pacer_.set(pause);
    }
    void drive() override;
    void sample() override;

  private:
    Stream stream_;
    Pacer pacer_;
    std::deque<Beat> beats_;
    bool shown_ = false;
    uint64_t taken_ = 0;
};

// Takes beats from an output stream of the model, and checks that what was shown stays until it is
// taken.
class Sink : public Agent
{
  public:
    Sink(const Stream &stream, Pause pause, uint64_t random_stream)
        : stream_(stream), pacer_(pause, random_stream)
    {
    }
    // Beats taken and not yet fetched, oldest first.
    std::deque<Beat> beats;
    // Takes a whole packet out of `beats` if there is one: its bytes by `keep`, and the side ports
    // of its last beat.
    bool fetch_packet(Bytes *packet, std::vector<Bytes> *side = nullptr);
    // The first breach of the handshake or of `keep`, empty if there was none.
    const std::string &breach() const
    {
        return breach_;
    }
    uint64_t taken() const
    {
        return taken_;
    }
    void set_pause(Pause pause)
    {
        pacer_.set(pause);
    }
    void drive() override;
    void sample() override;

  private:
    Beat look() const;
    void check(const Beat &beat);

    Stream stream_;
    Pacer pacer_;
    bool held_ = false; // shown in the last cycle and not taken
    Beat held_beat_;
    uint64_t taken_ = 0;
    std::string breach_;
};

} // namespace zn

#endif

// SPDX-License-Identifier: Apache-2.0
// Cases for modules that hand a stream of words through: nothing is lost, duplicated, reordered or
// changed, for each way of pausing at both ends; and how fast that goes.
//
// Thread: one.
#ifndef ZN_SIM_PASSAGE_H
#define ZN_SIM_PASSAGE_H

#include "bench/bench.h"

namespace zn
{

class Passage
{
  public:
    // `bits`: width of the data ports.
    Passage(Tap &tap, Bench &bench, const Stream &in, const Stream &out, unsigned bits)
        : tap_(tap), bench_(bench), bits_(bits), source_(in, Pause::never, 1),
          sink_(out, Pause::never, 2)
    {
        bench.add(source_);
        bench.add(sink_);
    }

    // One case for each pair of pauses, `words` words each.
    void matrix(unsigned words)
    {
        for (const Pause idle : all_pauses)
            for (const Pause stall : all_pauses) {
                const std::string why = run(idle, stall, words);
                tap_.ok(why.empty(),
                        text("words_idle_%s_stall_%s_arrive", pause_name(idle), pause_name(stall)) +
                            (why.empty() ? "" : ": " + why));
            }
    }

    // Two cases: a lone word takes `latency` cycles, and `words` words without pauses one cycle
    // each besides.
    void rate(unsigned latency, unsigned words)
    {
        const std::string lone = run(Pause::never, Pause::never, 1);
        tap_.ok(lone.empty() && took_ == latency + 1, text("word_alone_takes_%u_cycles", latency));
        const std::string many = run(Pause::never, Pause::never, words);
        tap_.ok(many.empty() && took_ == latency + words, "words_without_pause_pass_one_a_cycle");
    }

  private:
    // What went wrong, or nothing. Leaves how many cycles it took in took_.
    std::string run(Pause idle, Pause stall, unsigned words)
    {
        std::deque<Bytes> sent;
        source_.set_pause(idle);
        sink_.set_pause(stall);
        sink_.beats.clear();
        for (unsigned i = 0; i < words; i++) {
            Bytes word((bits_ + 7) / 8);
            for (uint8_t &byte : word)
                byte = static_cast<uint8_t>(random_.bits());
            if (bits_ % 8)
                word.back() &= (1u << bits_ % 8) - 1;
            source_.send({ word });
            sent.push_back(word);
        }
        const uint64_t begin = bench_.now();
        if (!bench_.run_until([&] { return sink_.beats.size() >= words; }, 100 + 20ull * words))
            return text("%zu of %u words arrived", sink_.beats.size(), words);
        took_ = bench_.now() - begin;
        bench_.cycles(4);
        if (sink_.beats.size() != words)
            return "words that were not sent arrived";
        for (unsigned i = 0; i < words; i++) {
            sent[i].resize(sink_.beats[i].data.size());
            if (sent[i] != sink_.beats[i].data)
                return text("word %u differs", i);
        }
        return sink_.breach();
    }

    Tap &tap_;
    Bench &bench_;
    unsigned bits_;
    Source source_;
    Sink sink_;
    Random random_{ 3 };
    uint64_t took_ = 0;
};

} // namespace zn

#endif

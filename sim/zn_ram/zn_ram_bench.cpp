// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.h"

namespace
{

constexpr unsigned depth = BENCH_Depth;
constexpr unsigned width = BENCH_Width;

struct Seen {
    unsigned same = 0;  // reads of the address that is written in the same cycle
    unsigned after = 0; // reads of the address that was written the cycle before
    unsigned held = 0;  // cycles without a read
    unsigned wrong = 0; // differences
};

zn::Bytes random_word(zn::Random &random, size_t size)
{
    zn::Bytes word(size);
    for (unsigned i = 0; i < (width + 7) / 8; i++)
        word[i] = static_cast<uint8_t>(random.bits());
    if (width % 8)
        word[width / 8] &= (1u << width % 8) - 1;
    return word;
}

// Random reads and writes beside a plain array.
Seen run(zn::Bench &bench, unsigned cycles)
{
    Vdut &dut = bench.dut;
    zn::Random random(1);
    Seen seen;
    const size_t size = zn::Port(dut.wdata_i).size();
    std::vector<zn::Bytes> words;
    for (unsigned i = 0; i < depth; i++) {
        words.push_back(random_word(random, size));
        dut.we_i = 1;
        dut.re_i = 0;
        dut.waddr_i = i;
        zn::Port(dut.wdata_i).set(words.back());
        bench.cycle();
    }
    zn::Bytes expected;
    unsigned written = depth;
    for (unsigned i = 0; i < cycles; i++) {
        const bool write = random.chance(60), read = random.chance(60);
        const unsigned waddr = random.below(depth);
        const unsigned raddr = random.chance(30)   ? waddr
                               : random.chance(30) ? written % depth
                                                   : random.below(depth);
        const zn::Bytes word = random_word(random, size);
        dut.we_i = write;
        dut.re_i = read;
        dut.waddr_i = waddr;
        dut.raddr_i = raddr;
        zn::Port(dut.wdata_i).set(word);
        seen.same += read && write && raddr == waddr;
        seen.after += read && raddr == written;
        seen.held += !read;
        if (write)
            words[waddr] = word;
        written = write ? waddr : depth;
        if (read)
            expected = words[raddr];
        bench.cycle();
        seen.wrong += !expected.empty() && zn::Port(dut.rdata_o).get() != expected;
    }
    return seen;
}

} // namespace

int main()
{
    zn::Tap tap;
    zn::Bench bench;
    const Seen seen = run(bench, 20000);
    tap.note(zn::text(
        "%u reads of the address being written, %u of the one written before, %u cycles without read",
        seen.same, seen.after, seen.held));
    tap.ok(seen.wrong == 0 && seen.same && seen.after && seen.held,
           "reads_beside_writes_give_the_newest_word");
    return tap.done();
}

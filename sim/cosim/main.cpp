// SPDX-License-Identifier: Apache-2.0
// The co-simulation. Each scenario with each seed is one case; then each check, which has to have
// been asked, and each group of coverage, whose bins have to have been hit.
//   SEED=n       the first seed (1)
//   COUNT=n      how many seeds of the random scenarios, a quarter as many of the directed ones (4)
// Then the seeds of sim/regress/seeds, which found something once.
//   CASE=text    scenarios whose name has it; checks and coverage are then not judged
//   FIRST=1      ends with the first case that fails
//   DEVICE=model the C model in the core's place, which tries the harness
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "cover.h"
#include "scenario.h"

namespace
{

using namespace cosim;

struct Scenario {
    const char *name;
    bool random; // worth many seeds
    void (*run)(const Run &run);
};

// The widest first: most faults end them soon.
const Scenario scenarios[] = {
    { "mix", true, scenario_mix },
    { "breaks", true, scenario_breaks },
    { "pings", false, scenario_pings },
    { "table", false, scenario_table },
    { "gaps", false, scenario_gaps },
    { "broadcasts", false, scenario_broadcasts },
    { "switches", false, scenario_switches },
    { "captures", false, scenario_captures },
    { "bytes", false, scenario_bytes },
    { "isolation", false, scenario_isolation },
    { "clock", false, scenario_clock },
    { "splits", false, scenario_splits },
};

unsigned number(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);
    return text ? static_cast<unsigned>(strtoul(text, nullptr, 0)) : otherwise;
}

bool run_one(zn::Tap &tap, const Scenario &scenario, const Run &run)
{
    const auto start = std::chrono::steady_clock::now();
    const std::string name = zn::text("cosim_%s_agrees, SEED=%llu", scenario.name,
                                      static_cast<unsigned long long>(run.seed));
    bool good = false;
    try {
        scenario.run(run);
        good = tap.ok(true, name);
    } catch (const std::exception &failure) {
        tap.ok(false, name);
        tap.note(failure.what());
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    tap.note(zn::text("%.2f s", took.count()));
    return good;
}

// "<scenario> <seed>" a line; # begins a remark.
std::vector<std::pair<std::string, unsigned>> regressions()
{
    std::vector<std::pair<std::string, unsigned>> out;
    std::ifstream in("sim/regress/seeds");
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string name;
        unsigned seed = 0;
        if (words >> name >> seed)
            out.emplace_back(name, seed);
    }
    return out;
}

void report(zn::Tap &tap, bool rtl)
{
    for (int check = 0; check < CHECK_COUNT; check++) {
        const uint64_t asked = check_asked(static_cast<Check>(check));
        tap.ok(asked > 0, check_name(static_cast<Check>(check)));
        tap.note(zn::text("asked %llu times", static_cast<unsigned long long>(asked)));
    }
    cover_report(tap, rtl);
}

} // namespace

int main()
{
    zn::Tap tap;
    const unsigned first = number("SEED", 1), count = number("COUNT", 4);
    const char *only = getenv("CASE"), *device = getenv("DEVICE");
    const bool rtl = !device || std::strcmp(device, "model");
    auto create = rtl ? device_create_rtl : device_create_model;
    cover_init(create(first)->params().data_bits / 8);
    const auto known = regressions();
    for (const Scenario &scenario : scenarios) {
        if (only && !std::strstr(scenario.name, only))
            continue;
        std::vector<unsigned> seeds;
        for (unsigned i = 0; i < (scenario.random ? count : (count + 3) / 4); i++)
            seeds.push_back(first + i);
        for (const auto &[name, seed] : known) {
            if (name == scenario.name)
                seeds.push_back(seed);
        }
        for (unsigned seed : seeds) {
            if (!run_one(tap, scenario, { create, seed, 1 }) && getenv("FIRST"))
                return tap.done();
        }
    }
    if (!only && !getenv("FIRST"))
        report(tap, rtl);
    return tap.done();
}

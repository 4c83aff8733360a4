// SPDX-License-Identifier: Apache-2.0
// See report.h. A run is judged by its own CPU clocks: a side counts as busy while it runs or waits
// for its core, so that a noisy neighbour is not mistaken for idleness.
#include "report.h"

#include <stdio.h>
#include <string.h>

static const double generator_busy = 0.95; // at or above: the generator had no time left
static const double server_busy = 0.90;    // at or above: the server was the limit

struct shares {
    double wall_s;
    double server_cpu_s, server_share, server_busy;
    double load_share, load_busy;
};

static struct shares shares_of(const struct run *r)
{
    const struct run_sample *a = &r->begin, *b = &r->end;
    struct shares s = { .wall_s = (double)(b->wall_ns - a->wall_ns) / 1e9 };
    double server_wait = (double)(b->server.wait_ns - a->server.wait_ns) / 1e9;
    double load_cpu = (double)(b->load.run_ns - a->load.run_ns) / 1e9;
    double load_wait = (double)(b->load.wait_ns - a->load.wait_ns) / 1e9;
    s.server_cpu_s = (double)(b->server.run_ns - a->server.run_ns) / 1e9;
    s.server_share = s.server_cpu_s / s.wall_s;
    s.server_busy = (s.server_cpu_s + server_wait) / s.wall_s;
    s.load_share = load_cpu / s.wall_s;
    s.load_busy = (load_cpu + load_wait) / s.wall_s;
    return s;
}

// Who set the pace. "neither" is a run in which each waited for the other, as with one message in
// flight.
static const char *bound_of(const struct run *r, const struct shares *s)
{
    if (r->opt.server_pid <= 0)
        return "unknown";
    if (s->server_busy >= server_busy)
        return "server";
    return s->load_busy >= generator_busy ? "generator" : "neither";
}

static void print_setup(const struct run *r)
{
    static const char *const texts[] = { "ascii", "utf8", "binary" };
    const struct options *o = &r->opt;
    printf("{\"question\":\"%s\",\"scenario\":\"%s\",\"peer\":\"%s\",\"proto\":\"%s\","
           "\"conns\":%u,\"depth\":%u,"
           "\"size\":%u,\"rate\":%g,\"text\":\"%s\",\"seed\":%llu,\"run\":%u",
           o->question, o->scenario, o->peer, o->sio ? "sio" : "raw", o->conns, o->depth, o->size,
           o->rate, texts[o->text], (unsigned long long)o->seed, o->run);
}

static void print_quantiles(const char *name, const struct histogram *h)
{
    if (h->count == 0)
        return;
    printf(",\"%s\":{\"n\":%llu,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}",
           name, (unsigned long long)h->count, (double)histogram_quantile(h, 0.5) / 1e3,
           (double)histogram_quantile(h, 0.9) / 1e3, (double)histogram_quantile(h, 0.99) / 1e3,
           (double)histogram_quantile(h, 0.999) / 1e3, (double)h->max / 1e3);
}

static void print_rates(const struct run *r, const struct shares *s)
{
    double user = (double)(r->end.server.user_ns - r->begin.server.user_ns);
    double system = (double)(r->end.server.system_ns - r->begin.server.system_ns);
    printf(",\"messages\":%llu,\"wall_s\":%.4f,\"kmsg_per_s\":%.2f", (unsigned long long)r->count,
           s->wall_s, (double)r->count / s->wall_s / 1e3);
    if (r->opt.server_pid > 0)
        printf(",\"server_cpu_s\":%.4f,\"kmsg_per_cpu_s\":%.3f,\"server_share\":%.3f,"
               "\"server_busy\":%.3f,\"server_user_share\":%.3f",
               s->server_cpu_s, (double)r->count / s->server_cpu_s / 1e3, s->server_share,
               s->server_busy, user + system > 0 ? user / (user + system) : 0);
    printf(",\"load_share\":%.3f,\"load_busy\":%.3f,\"bound\":\"%s\"", s->load_share, s->load_busy,
           bound_of(r, s));
    print_quantiles("latency_us", &r->latency);
    print_quantiles("spread_us", &r->spread);
}

static double growth(uint64_t before, uint64_t after, uint64_t by)
{
    return ((double)after - (double)before) / (double)by;
}

static void print_idle(const struct run *r)
{
    printf(",\"messages\":%llu,\"user_bytes_per_conn\":%.1f,\"rss_bytes_per_conn\":%.1f,"
           "\"slab_bytes_per_conn\":%.1f,\"tcp_buffer_bytes_per_conn\":%.1f,"
           "\"uss_before\":%llu,\"uss_after\":%llu",
           (unsigned long long)r->count,
           growth(r->memory_before.uss, r->memory_after.uss, r->count),
           growth(r->memory_before.rss, r->memory_after.rss, r->count),
           growth(r->slab_before, r->slab_after, r->count),
           growth(r->tcp_before, r->tcp_after, r->count), (unsigned long long)r->memory_before.uss,
           (unsigned long long)r->memory_after.uss);
}

static enum report_verdict judge(const struct run *r, const struct shares *s)
{
    uint64_t gone = r->client.closed_count - r->stalled_closed;
    if (r->wrong > 0 || r->lost > 0 || gone > 0 || r->count == 0) {
        fprintf(stderr,
                "load: failed: %llu messages, %llu wrong, %llu lost, %llu connections gone (%s)\n",
                (unsigned long long)r->count, (unsigned long long)r->wrong,
                (unsigned long long)r->lost, (unsigned long long)gone,
                r->client.last_error ? r->client.last_error : "none failed");
        return REPORT_FAILED;
    }
    if (strcmp(r->opt.scenario, "idle") != 0 && strcmp(bound_of(r, s), "generator") == 0) {
        fprintf(stderr, "load: the generator was the bottleneck (busy %.0f %%, server %.0f %%)%s\n",
                s->load_busy * 100, s->server_busy * 100,
                r->opt.allow_bound ? "" : ": refused, --allow-bound reports it as a lower bound");
        return r->opt.allow_bound ? REPORT_GOOD : REPORT_BOUND;
    }
    return REPORT_GOOD;
}

enum report_verdict report_run(const struct run *r)
{
    struct shares s = shares_of(r);
    enum report_verdict verdict = judge(r, &s);
    if (verdict != REPORT_GOOD)
        return verdict;
    print_setup(r);
    if (strcmp(r->opt.scenario, "idle") == 0)
        print_idle(r);
    else
        print_rates(r, &s);
    if (strcmp(r->opt.scenario, "slow") == 0)
        printf(",\"stalled_closed\":%llu,\"uss_growth\":%.0f",
               (unsigned long long)r->stalled_closed,
               growth(r->memory_before.uss, r->memory_after.uss, 1));
    puts("}");
    return REPORT_GOOD;
}

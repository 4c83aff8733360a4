// SPDX-License-Identifier: Apache-2.0
// Choice of vector code. The level is found before main() runs, so that reading
// it costs a load and needs no lock.
//
// Thread: any may read; zn__simd_set() before other threads run the codecs.
#include "simd.h"

#include <stdlib.h>
#include <string.h>

static enum zn_simd best = ZN_SIMD_SCALAR;
static enum zn_simd level = ZN_SIMD_SCALAR;

static enum zn_simd cpu_best(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vbmi"))
        return ZN_SIMD_AVX512;
    if (__builtin_cpu_supports("avx2"))
        return ZN_SIMD_AVX2;
    if (__builtin_cpu_supports("sse4.1"))
        return ZN_SIMD_128;
    return ZN_SIMD_SCALAR;
#elif defined(__aarch64__)
    return ZN_SIMD_128;
#else
    return ZN_SIMD_SCALAR;
#endif
}

enum zn_simd zn__simd_cap(enum zn_simd most, const char *name)
{
    for (int capped = ZN_SIMD_SCALAR; capped < (int)most && name != NULL; capped++) {
        if (strcmp(name, zn__simd_name((enum zn_simd)capped)) == 0)
            return (enum zn_simd)capped;
    }
    return most;
}

__attribute__((constructor)) static void level_find(void)
{
    best = zn__simd_cap(cpu_best(), secure_getenv("ZN_SIMD"));
    level = best;
}

enum zn_simd zn__simd_best(void)
{
    return best;
}

enum zn_simd zn__simd_level(void)
{
    return level;
}

enum zn_simd zn__simd_set(enum zn_simd wanted)
{
    level = wanted < best ? wanted : best;
    return level;
}

const char *zn__simd_name(enum zn_simd simd)
{
    switch (simd) {
    case ZN_SIMD_SCALAR:
        return "scalar";
    case ZN_SIMD_128:
#if defined(__aarch64__)
        return "neon";
#else
        return "sse4.1";
#endif
    case ZN_SIMD_AVX2:
        return "avx2";
    case ZN_SIMD_AVX512:
        return "avx512";
    default:
        return "unknown";
    }
}

// SPDX-License-Identifier: Apache-2.0
// Which vector code the codecs use: chosen once from what the CPU can do, settable
// so that tests of one codec run each version, and the others the scalar one too.
#ifndef ZN_PROTO_SIMD_H
#define ZN_PROTO_SIMD_H

enum zn_simd {
    ZN_SIMD_SCALAR,
    ZN_SIMD_128, // SSE4.1 or NEON
    ZN_SIMD_AVX2,
    ZN_SIMD_AVX512, // F, BW, VBMI
    ZN_SIMD_LEVELS,
};

// The best level of this CPU; or below it the one that ZN_SIMD names in the environment
// (zn__simd_name()), for a look at the others.
enum zn_simd zn__simd_best(void);

// What such a name makes of `most`: the level of that name if it is lower, else `most`.
enum zn_simd zn__simd_cap(enum zn_simd most, const char *name);

// The level in use (zn__simd_best() until set).
enum zn_simd zn__simd_level(void);

// Uses `level`, or the best one below it that the CPU has; returns it. Not
// thread-safe: call before other threads run the codecs.
enum zn_simd zn__simd_set(enum zn_simd level);

const char *zn__simd_name(enum zn_simd level);

#endif

// SPDX-License-Identifier: Apache-2.0
// Which vector code the codecs use: chosen once from what the CPU can do,
// settable so that every test also runs the scalar version.
#ifndef ZN_PROTO_SIMD_H
#define ZN_PROTO_SIMD_H

enum zn_simd {
    ZN_SIMD_SCALAR,
    ZN_SIMD_128, // SSE4.1 or NEON
    ZN_SIMD_AVX2,
    ZN_SIMD_AVX512, // F, BW, VBMI
    ZN_SIMD_LEVELS,
};

// The best level of this CPU.
enum zn_simd zn__simd_best(void);

// The level in use (zn__simd_best() until set).
enum zn_simd zn__simd_level(void);

// Uses `level`, or the best one below it that the CPU has; returns it. Not
// thread-safe: call before other threads run the codecs.
enum zn_simd zn__simd_set(enum zn_simd level);

const char *zn__simd_name(enum zn_simd level);

#endif

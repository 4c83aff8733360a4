// SPDX-License-Identifier: Apache-2.0
// Keyed hash for tables whose keys strangers choose (room names, event names, session ids):
// SipHash-1-3, Aumasson and Bernstein. One compression round and three finalization rounds are
// what hash tables need; it is no message authentication code.
//
// Thread: any; pure function.
#ifndef ZN_SIPHASH_H
#define ZN_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

// `key` comes from the system's random source once a process, read as two little-endian words.
uint64_t zn__siphash(const uint64_t key[2], const void *data, size_t len);

#endif

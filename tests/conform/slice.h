// SPDX-License-Identifier: Apache-2.0
// Slices of JSON text: finds values in it without taking them apart, so that they can be passed on
// as they came. The text is well-formed (the library has checked it); nothing is read outside it in
// any case.
//
// Thread: any; pure functions.
#ifndef CONFORM_SLICE_H
#define CONFORM_SLICE_H

#include <zapnic/zapnic.h>

#include <stdbool.h>
#include <stddef.h>

struct js {
    const char *p;
    size_t len;
};

// The n-th of values separated by commas (arguments, or the inside of an array). False: fewer.
bool js_nth(struct js values, unsigned n, struct js *out);
bool js_arg(const struct zn_args *args, unsigned n, struct js *out);

// The member `key` of an object; keys are compared as written. False: none, or no object.
bool js_get(struct js object, const char *key, struct js *out);

// What stands between the brackets of an array; empty for any other value.
struct js js_inside(struct js array);

bool js_is(struct js value, const char *text);

// Whether argument n is a binary value.
bool js_is_binary(const struct zn_args *args, unsigned n);

#endif

// SPDX-License-Identifier: Apache-2.0
// The accelerator's C model and contract, as C++ sees them.
#ifndef ZN_COSIM_MODEL_H
#define ZN_COSIM_MODEL_H

#ifndef _Static_assert
#define _Static_assert static_assert
#endif

extern "C" {
#include "contract/contract.h"
#include "soft/soft.h"
}

#endif

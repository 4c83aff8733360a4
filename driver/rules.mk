# SPDX-License-Identifier: Apache-2.0
# The accelerator contract and what implements it in C.
DRIVER_SRC :=
include $(wildcard driver/*/rules.mk)

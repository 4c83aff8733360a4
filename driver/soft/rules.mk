# SPDX-License-Identifier: Apache-2.0
# The model of the accelerator. It stands on proto alone, of which it links what libzapnic has.
SOFT_SRC := $(wildcard driver/soft/*.c)
DRIVER_SRC += $(SOFT_SRC)

# SPDX-License-Identifier: Apache-2.0
# The accelerator contract and what implements it in C: libzapnic-driver, beside libzapnic. Sub-folders add to
# DRIVER_SRC.
DRIVER_SRC :=
DRIVER_LIB := $(B)/libzapnic-driver.a
include $(wildcard driver/*/rules.mk)

DRIVER_OBJ := $(call obj,$(DRIVER_SRC))

$(DRIVER_LIB): $(DRIVER_OBJ)
	$(Q)$(call archive,$(DRIVER_OBJ))

driver: $(DRIVER_LIB)
.PHONY: driver
all: driver

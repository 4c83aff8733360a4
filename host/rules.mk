# SPDX-License-Identifier: Apache-2.0
# libzapnic, static and shared. Sub-folders add to LIB_SRC; service and examples use the result.
LIB_SRC :=
LIB := $(B)/libzapnic.a
SO := $(B)/libzapnic.so.0
include $(wildcard host/*/rules.mk)

LIB_OBJ := $(call obj,$(LIB_SRC))
HEADER := host/include/zapnic/zapnic.h

$(LIB): $(LIB_OBJ)
	$(Q)$(call archive,$(LIB_OBJ))

# Symbols are hidden but those that the public header marks with ZN_API.
$(SO): $(LIB_OBJ)
	$(Q)$(CC) -shared $(LDFLAGS_ALL) -Wl,-soname,libzapnic.so.0 $(LIB_OBJ) $(LIBS) -o $@
	@ln -sf libzapnic.so.0 $(B)/libzapnic.so

lib: $(LIB) $(SO)
.PHONY: lib
all: lib

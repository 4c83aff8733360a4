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

# The shared library exports what the public header declares, and nothing else.
$(GEN)/zapnic.map: $(wildcard $(HEADER))
	@mkdir -p $(@D)
	@{ echo '{ global:'; \
	   grep -oE '\bzn_[a-z0-9][a-z0-9_]* ?\(' $^ /dev/null | sed 's/.*://; s/ *(/;/' | sort -u; \
	   echo 'local: *; };'; } >$@

$(SO): $(LIB_OBJ) $(GEN)/zapnic.map
	$(Q)$(CC) -shared $(LDFLAGS_ALL) -Wl,-soname,libzapnic.so.0 \
		-Wl,--version-script=$(GEN)/zapnic.map $(LIB_OBJ) $(LIBS) -o $@
	@ln -sf libzapnic.so.0 $(B)/libzapnic.so

lib: $(LIB) $(SO)
.PHONY: lib
all: lib

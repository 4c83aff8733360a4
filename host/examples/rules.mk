# SPDX-License-Identifier: Apache-2.0
# Each file is a program. The demo's page is there for those that serve it.
EXAMPLE_BIN := $(patsubst host/examples/%.c,$(B)/examples/%,$(wildcard host/examples/*.c))

$(EXAMPLE_BIN): $(B)/examples/%: $(B)/obj/host/examples/%.o $(SERVICE) $(LIB)
	$(Q)$(call link,$^,$(SERVICE_LIBS) $(LIBS))

all: $(EXAMPLE_BIN)

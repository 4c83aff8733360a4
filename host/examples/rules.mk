# SPDX-License-Identifier: Apache-2.0
# Each file is a program that uses the public header alone.
EXAMPLE_BIN := $(patsubst host/examples/%.c,$(B)/examples/%,$(wildcard host/examples/*.c))

$(EXAMPLE_BIN): $(B)/examples/%: $(B)/obj/host/examples/%.o $(LIB)
	$(Q)$(call link,$^,$(LIBS))

all: $(EXAMPLE_BIN)

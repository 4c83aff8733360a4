# SPDX-License-Identifier: Apache-2.0
PROTO_SRC := $(wildcard host/proto/*.c)
LIB_SRC += $(PROTO_SRC)

# bench/ws_rx_bench.c: frames cost 5 to 8 % less than with -O2.
ifeq ($(opt),-O2 -g)
$(call obj,$(PROTO_SRC)): FOLDER_CFLAGS := -O3
endif

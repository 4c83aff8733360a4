# SPDX-License-Identifier: Apache-2.0
# Each *_bench.c answers one question: build/bench/<name>_bench. Other files are shared by them.
BENCH_SRC := $(wildcard bench/*_bench.c)
BENCH_SHARED := $(call shared,bench,$(filter-out $(BENCH_SRC),$(wildcard bench/*.c)))
BENCH_BIN := $(patsubst bench/%.c,$(B)/bench/%,$(BENCH_SRC))

$(BENCH_BIN): $(B)/bench/%: $(B)/obj/bench/%.o $(BENCH_SHARED) $(DRIVER_LIB) $(LIB)
	$(Q)$(call link,$^,$(LIBS))

all: $(BENCH_BIN)

include $(wildcard bench/*/rules.mk)

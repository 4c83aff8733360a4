# SPDX-License-Identifier: Apache-2.0
# The load generator, the program that sums its output up, and the servers measured beside ours.
# all builds the first two and the floor; bench-tools the peers too, if their packages are there.
BENCH_TOOLS := $(addprefix $(B)/bench/,load summary floor)
BENCH_PEERS := $(addprefix $(B)/bench/,lws gorilla peers/node/installed)
BENCH_NODE := $(wildcard bench/peers/node/*)

$(B)/bench/load: $(call obj,$(wildcard bench/load/*.c))
	$(Q)$(call link,$^)

$(B)/bench/summary: $(call obj,$(wildcard bench/summary/*.c))
	$(Q)$(call link,$^,-ljansson)

$(B)/bench/floor: $(B)/obj/bench/peers/floor/floor.o
	$(Q)$(call link,$^,-lcrypto)

$(B)/bench/lws: bench/peers/libwebsockets/lws.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) $< -lwebsockets -o $@

$(B)/bench/gorilla: bench/peers/gorilla/gorilla.go
	@mkdir -p $(@D)
	$(Q)GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$(abspath $(B))/go go build -o $@ $<

# Exact versions by the lock file; nothing of theirs runs while they are installed.
$(B)/bench/peers/node/installed: $(BENCH_NODE)
	@mkdir -p $(@D)
	@cp $(BENCH_NODE) $(@D)/
	$(Q)cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier \
		--loglevel=error && touch installed

bench-tools: $(BENCH_TOOLS)
	@$(MAKE) --no-print-directory --keep-going $(BENCH_PEERS) || \
		echo "bench: some peers cannot be built here and are left out"

.PHONY: bench-tools
all: $(BENCH_TOOLS)

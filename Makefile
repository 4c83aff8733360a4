# SPDX-License-Identifier: Apache-2.0
# The one Makefile. Each folder adds its rules.mk; everything that is made lies under build/.
#
#   make ASAN=1 ...     AddressSanitizer and UBSan, in build/asan
#   make TSAN=1 ...     ThreadSanitizer, in build/tsan
#   make DEBUG=1 ...    no optimisation, in build/debug
#   make CC=clang ...   another compiler, in build/clang
#   make ARCH=aarch64   cross build, in build/aarch64

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

VERSION := 0.1.0
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
AR := ar
ifeq ($(origin CC),undefined)
CC := gcc
endif
ifeq ($(origin CC),default)
CC := gcc
endif

# --- Which variant, and where it goes.
variant :=
opt := -O2 -g
sanitize :=
ifdef DEBUG
variant += debug
opt := -O0 -g3
endif
ifdef ASAN
variant += asan
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
opt := -O1 -g
endif
ifdef TSAN
variant += tsan
sanitize := -fsanitize=thread -fno-omit-frame-pointer
opt := -O1 -g
endif
ifdef WERROR
variant += werror
endif
ifdef ARCH
variant += $(ARCH)
CC := $(ARCH)-linux-gnu-gcc
AR := $(ARCH)-linux-gnu-ar
else ifneq ($(notdir $(CC)),gcc)
variant += $(notdir $(CC))
endif
ifdef FUZZ_BUILD
variant := fuzz
sanitize := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer
opt := -O1 -g
endif
empty :=
space := $(empty) $(empty)
B := build$(if $(strip $(variant)),/$(subst $(space),-,$(strip $(variant))))
GEN := build/gen
NODE := build/node

# --- Flags. CFLAGS and LDFLAGS are the caller's and come last.
PKG_CONFIG ?= pkg-config
ifdef ARCH
# .ci/sysroot.sh fetches the libraries.
SYSROOT := build/sysroot-$(ARCH)/usr
INCLUDES := -isystem $(SYSROOT)/include -isystem $(SYSROOT)/include/$(ARCH)-linux-gnu
LIBDIRS := -L$(SYSROOT)/lib/$(ARCH)-linux-gnu
LIBS := -lz -lssl -lcrypto -luring
else
LIBS := $(or $(shell $(PKG_CONFIG) --libs zlib openssl liburing 2>/dev/null),-lz -lssl -lcrypto -luring)
INCLUDES := $(shell $(PKG_CONFIG) --cflags zlib openssl liburing 2>/dev/null)
endif
LIBS += -pthread
WARN := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wundef $(if $(WERROR),-Werror)
HARDEN := -fstack-protector-strong -fno-plt
ifeq ($(strip $(sanitize)),)
ifndef DEBUG
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
endif
CPPFLAGS_ALL := -Ihost/include -Ihost -Idriver $(INCLUDES) -D_GNU_SOURCE -DZN_VERSION='"$(VERSION)"' $(CPPFLAGS)
CFLAGS_ALL := -std=gnu17 $(opt) -fPIC -fvisibility=hidden -fno-strict-aliasing \
	$(WARN) $(HARDEN) $(sanitize) -pthread -MMD -MP $(CFLAGS)
LDFLAGS_ALL := $(sanitize) $(LIBDIRS) -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
archive = mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $(1)
link = mkdir -p $(@D) && $(CC) $(LDFLAGS_ALL) $(1) $(2) -o $@
# One line a step; V=1 shows the commands.
Q = $(if $(V),,@echo "  $@" && )

# Objects are made again when the flags change.
flags := $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL)
$(shell mkdir -p $(B) && { echo '$(subst ','\'',$(flags))' | cmp -s - $(B)/flags || \
	echo '$(subst ','\'',$(flags))' >$(B)/flags; })

# $(call shared,folder,sources): an archive of a folder's shared sources, if there are any.
shared = $(if $(2),$(eval $(call shared_rule,$(1),$(2)))$(B)/$(1)/shared.a)
define shared_rule
$(B)/$(1)/shared.a: $(call obj,$(2))
	$$(Q)$$(call archive,$$^)
endef

all:

include $(wildcard $(addsuffix /rules.mk,driver host sim rtl tests bench))

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(FOLDER_CFLAGS) -c $< -o $@

# The targets that call make again do so with all processors, unless the caller chose a number.
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
ONCE = +@$(MAKE) --no-print-directory $(JOBS)

.PHONY: all help deps run dpdk test sim sim-run mutate formal synth synth-check lint fuzz bench profile fmt install clean
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo "  variants: ASAN=1 TSAN=1 DEBUG=1 CC=clang ARCH=aarch64; V=1 shows the commands"

deps: ## install what is missing to build, run and test (Debian packages, npm packages)
	@.ci/deps.sh test

all: ## build the library, the command, examples, tests and benches

run: ## build the server and run it on http://localhost:3000 (ARGS="..." for its flags)
	@.ci/deps.sh run
	$(ONCE) $(B)/zapnic
	@exec $(B)/zapnic serve $(ARGS)

dpdk: ## build zapnic-dpdk, the server on a NIC with user-space TCP
	@.ci/deps.sh dpdk
	$(ONCE) $(DPDK_BIN)

test: ## build and run all tests (ONLY=text for some, KIND=nic for those on DPDK)
	@.ci/deps.sh test
	$(if $(filter nic,$(KIND)),@.ci/deps.sh dpdk)
	$(if $(filter xdp,$(KIND)),@.ci/deps.sh xdp)
	$(ONCE) $(TEST_BIN)
	@B=$(B) tests/run $(KIND)

sim: ## build and run the benches of the RTL (ONLY=text for some, TRACE=1 for waveforms)
	@.ci/deps.sh sim
	$(ONCE) sim-bin
	@B=$(B) SIM_BIN='$(SIM_BIN)' tests/run sim
	@cat $(PERF_TABLE) 2>/dev/null || true

sim-run: ## run the server behind the Verilated core (root; ACCEL=soft: behind its C model)
	@.ci/deps.sh sim
	@.ci/deps.sh dpdk
	$(ONCE) $(if $(filter soft,$(ACCEL)),$(B)/zapnic-dpdk,$(B)/zapnic-sim)
	@B=$(B) ACCEL=$(ACCEL) sim/serve

mutate: ## put faults into the RTL; the co-simulation has to catch each (5 minutes)
	@.ci/deps.sh sim
	$(ONCE) $(SB)/cosim/128/bench $(SB)/cosim/512/bench
	@B=$(B) sim/mutate/run

formal: ## prove what the primitives promise, for so many cycles (1 minute)
	@.ci/deps.sh formal
	@sim/formal/run

synth: ## synthesise the RTL for UltraScale+: LUTs, flip-flops, memories, levels (ONLY=text for some)
	@.ci/deps.sh synth
	@node rtl/synth/synth.mjs

synth-check: ## synthesise, and fail where something grew beyond bench/results/synth.json
	@.ci/deps.sh synth
	@node rtl/synth/synth.mjs check

lint: ## check format, warnings of both compilers, include arrows, sizes, static analysis
	@.ci/deps.sh ci
	@tests/lint/run

fuzz: ## run each fuzz target for FUZZ_SECONDS (5) from its kept corpus
	@.ci/deps.sh ci
	$(ONCE) FUZZ_BUILD=1 CC=clang fuzz-bin
	@tests/fuzz/run

bench: ## measure codecs, then the server beside others (QUICK=1: a few questions, 5 minutes)
	@.ci/deps.sh bench
	$(ONCE) $(BENCH_BIN)
	@B=$(B) bench/run

profile: ## count what the server does a message on each path, by function
	@.ci/deps.sh bench
	$(ONCE) $(B)/zapnic-conform $(B)/bench/load
	@B=$(B) NO_BUILD=1 bench/profile

fmt: ## format the C files
	@clang-format -i $$(git ls-files '*.c' '*.h' '*.cpp')

install: ## install into PREFIX (/usr/local) under DESTDIR
	$(ONCE) $(B)/zapnic lib
	install -d $(addprefix $(DESTDIR),$(PREFIX)/bin $(LIBDIR)/pkgconfig $(PREFIX)/include/zapnic $(PREFIX)/share/man/man1)
	install -m 755 $(B)/zapnic $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(B)/libzapnic.a $(DESTDIR)$(LIBDIR)/
	install -m 755 $(SO) $(DESTDIR)$(LIBDIR)/libzapnic.so.$(VERSION)
	ln -sf libzapnic.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libzapnic.so.0
	ln -sf libzapnic.so.0 $(DESTDIR)$(LIBDIR)/libzapnic.so
	install -m 644 $(HEADER) $(DESTDIR)$(PREFIX)/include/zapnic/
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' host/zapnic.pc.in \
		>$(DESTDIR)$(LIBDIR)/pkgconfig/zapnic.pc
	install -m 644 host/service/zapnic.1 $(DESTDIR)$(PREFIX)/share/man/man1/

clean: ## remove build/
	rm -rf build

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

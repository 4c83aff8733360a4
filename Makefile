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
LIBS := -lz -lssl -lcrypto -luring
else
LIBS := $(or $(shell $(PKG_CONFIG) --libs zlib openssl liburing 2>/dev/null),-lz -lssl -lcrypto -luring)
INCLUDES := $(shell $(PKG_CONFIG) --cflags zlib openssl liburing 2>/dev/null)
endif
LIBS += -pthread
WARN := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wundef $(if $(WERROR),-Werror)
HARDEN := -fstack-protector-strong -fno-plt
ifeq ($(strip $(sanitize)),)
ifndef DEBUG
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
endif
CPPFLAGS_ALL := -Ihost/include -Ihost $(INCLUDES) -D_GNU_SOURCE -DZN_VERSION='"$(VERSION)"' $(CPPFLAGS)
CFLAGS_ALL := -std=gnu17 $(opt) -fPIC -fno-semantic-interposition -fno-strict-aliasing \
	$(WARN) $(HARDEN) $(sanitize) -pthread -MMD -MP $(CFLAGS)
LDFLAGS_ALL := $(sanitize) -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

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

include $(wildcard host/rules.mk tests/rules.mk bench/rules.mk sim/rules.mk driver/rules.mk)

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c $< -o $@

.PHONY: all help deps deps-run run test lint fuzz bench fmt install clean
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  variants: ASAN=1 TSAN=1 DEBUG=1 CC=clang ARCH=aarch64; V=1 shows commands"

all: ## build the library, the command, examples, tests and benches

clean: ## remove build/
	rm -rf build

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

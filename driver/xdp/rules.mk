# SPDX-License-Identifier: Apache-2.0
# XDP. The loader is built where clang, bpftool and libbpf are installed, and linked only into programs that ask
# for it; it carries the program in a header that bpftool makes.
XDP_TOOLS := $(shell PATH=$$PATH:/usr/sbin; command -v clang >/dev/null && command -v bpftool)
XDP_LIBS := $(if $(ARCH)$(FUZZ_BUILD),,$(if $(XDP_TOOLS),$(shell $(PKG_CONFIG) --libs libbpf 2>/dev/null)))
STEER_SRC := $(if $(XDP_LIBS),driver/xdp/steer.c)
STEER_OBJ := $(call obj,$(STEER_SRC))
STEER_SKELETON := $(GEN)/xdp/steer.skel.h

$(GEN)/xdp/steer.bpf.o: driver/xdp/steer.bpf.c driver/xdp/steer.h
	@mkdir -p $(@D)
	$(Q)clang -target bpf -g -O2 -Wall -Wextra -Werror -idirafter /usr/include/$$(gcc -print-multiarch) -c $< -o $@

$(STEER_SKELETON): $(GEN)/xdp/steer.bpf.o
	$(Q)$(XDP_TOOLS) gen skeleton $< name zn_steer_bpf >$@

$(STEER_OBJ): $(STEER_SKELETON)
$(STEER_OBJ): FOLDER_CFLAGS := -isystem $(GEN)

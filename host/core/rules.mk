# SPDX-License-Identifier: Apache-2.0
LIB_SRC += $(wildcard host/core/*.c)
LIB_SRC += $(GEN)/client_assets.c

# The client bundle for browsers, from the npm package.
CLIENT := $(NODE)/node_modules/socket.io-client
$(NODE)/installed: tests/package-lock.json
	@.ci/deps.sh node
	@touch $@
$(GEN)/client_assets.c: host/core/embed.sh $(NODE)/installed
	@mkdir -p $(@D)
	@host/core/embed.sh zn__client_assets \
		"$$(sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p' $(CLIENT)/package.json)" $(GEN)/client $(CLIENT)/dist/* >$@

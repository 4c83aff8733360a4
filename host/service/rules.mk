# SPDX-License-Identifier: Apache-2.0
# The command: build/zapnic. Tests link its parts (all but main.c) from an archive.
SERVICE_SRC := $(filter-out host/service/main.c,$(wildcard host/service/*.c))
DEMO_FILES := $(wildcard host/service/www/*)
SERVICE_SRC += $(if $(DEMO_FILES),$(GEN)/demo_assets.c)
SERVICE := $(if $(SERVICE_SRC),$(B)/service.a)
SERVICE_LIBS := -linih -ljansson

$(GEN)/demo_assets.c: host/core/embed.sh host/service/www $(DEMO_FILES)
	@mkdir -p $(@D)
	@host/core/embed.sh zn_demo_assets - $(GEN)/demo $(DEMO_FILES) >$@

$(B)/service.a: $(call obj,$(SERVICE_SRC))
	$(Q)$(call archive,$^)

$(B)/zapnic: $(call obj,host/service/main.c) $(SERVICE) $(STEER_OBJ) $(DRIVER_LIB) $(LIB)
	$(Q)$(call link,$^,$(SERVICE_LIBS) $(XDP_LIBS) $(LIBS))

# The same with DPDK, where that is installed.
$(B)/zapnic-dpdk: $(call obj,host/service/main.c) $(SERVICE) $(ETHDEV_OBJ) $(STEER_OBJ) $(DRIVER_LIB) $(LIB)
	$(Q)$(call link,$^,$(SERVICE_LIBS) $(XDP_LIBS) $(LIBS) $(DPDK_LIBS))

# And with the Verilated core.
$(B)/zapnic-sim: $(call obj,host/service/main.c) $(SERVICE) $(ETHDEV_OBJ) $(SIM_DEVICE_OBJ) $(DRIVER_LIB) $(LIB) $(B)/libzn_sim.a
	$(Q)$(call link,$^,$(SERVICE_LIBS) $(LIBS) $(DPDK_LIBS) -lstdc++ -latomic -lm)

ifneq ($(wildcard host/service/main.c),)
all: $(B)/zapnic
endif

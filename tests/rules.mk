# SPDX-License-Identifier: Apache-2.0
# C programs of the tests. tests/unit/*_test.c and tests/regress/*.c are one cmocka program each;
# the other files of tests/unit are shared by them and by the fuzz targets.
UNIT_SRC := $(wildcard tests/unit/*_test.c)
UNIT_SHARED := $(call shared,tests/unit,$(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c)))
UNIT_BIN := $(patsubst %.c,$(B)/%,$(UNIT_SRC) $(wildcard tests/regress/*.c))
XDP_TEST_SRC := $(if $(XDP_LIBS),$(wildcard tests/xdp/*_test.c))
XDP_TEST_BIN := $(patsubst %.c,$(B)/%,$(XDP_TEST_SRC))
CONFORM_SRC := $(wildcard tests/conform/*.c)
FUZZ_BIN := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/*_fuzz.c))
CONFORM := $(if $(CONFORM_SRC),$(B)/zapnic-conform)

$(UNIT_BIN): $(B)/%: $(B)/obj/%.o $(UNIT_SHARED) $(SERVICE) $(DRIVER_LIB) $(LIB)
	$(Q)$(call link,$^,-lcmocka $(SERVICE_LIBS) $(LIBS))

$(B)/zapnic-conform: $(call obj,$(CONFORM_SRC)) $(SERVICE) $(DRIVER_LIB) $(LIB)
	$(Q)$(call link,$^,$(SERVICE_LIBS) $(LIBS))

$(B)/zapnic-conform-sim: $(call obj,$(CONFORM_SRC)) $(SERVICE) $(ETHDEV_OBJ) $(SIM_DEVICE_OBJ) $(DRIVER_LIB) $(LIB) $(B)/libzn_sim.a
	$(Q)$(call link,$^,$(SERVICE_LIBS) $(LIBS) $(DPDK_LIBS) -lstdc++ -latomic -lm)

$(B)/zapnic-conform-dpdk: $(call obj,$(CONFORM_SRC)) $(SERVICE) $(ETHDEV_OBJ) $(DRIVER_LIB) $(LIB)
	$(Q)$(call link,$^,$(SERVICE_LIBS) $(LIBS) $(DPDK_LIBS))

$(FUZZ_BIN): $(B)/%: $(B)/obj/%.o $(UNIT_SHARED) $(DRIVER_LIB) $(LIB)
	$(Q)$(call link,-fsanitize=fuzzer $^,$(LIBS))

$(XDP_TEST_BIN): $(B)/%: $(B)/obj/%.o
	$(Q)$(call link,$^,-lcmocka $(XDP_LIBS) $(LIBS))
$(call obj,$(XDP_TEST_SRC)): $(STEER_SKELETON)
$(call obj,$(XDP_TEST_SRC)): FOLDER_CFLAGS := -isystem $(GEN)

# What the runner needs: the programs, and the servers that wire tests start.
TEST_BIN = $(UNIT_BIN) $(CONFORM) $(EXAMPLE_BIN) $(if $(wildcard host/service/main.c),$(B)/zapnic) \
	$(if $(filter nic xdp,$(KIND)),$(DPDK_BIN)) $(if $(filter xdp,$(KIND)),$(XDP_TEST_BIN))
DPDK_BIN := $(B)/zapnic-dpdk $(B)/zapnic-conform-dpdk

unit: $(UNIT_BIN)
fuzz-bin: $(FUZZ_BIN)
.PHONY: unit fuzz-bin
all: unit $(CONFORM) $(XDP_TEST_BIN)

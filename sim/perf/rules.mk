# SPDX-License-Identifier: Apache-2.0
# Cycles that the core takes.
PERF_BIN := $(SB)/perf/512/bench
PERF_TABLE := $(SB)/perf/512/table
SIM_BIN += $(PERF_BIN)
$(SB)/perf/main.o: sim/perf/main.cpp sim/perf/rules.mk
	@mkdir -p $(@D)
	$(Q)$(SIM_CXX) -Wno-c99-designator -O2 -g1 -c $< -o $@
$(PERF_BIN): $(SB)/perf/%/bench: $(SB)/perf/main.o $(COSIM_OBJ) $(SIM_SHARED_OBJ) $(SB)/core/%/libzn_sim.a $(DRIVER_LIB) $(LIB)
	@mkdir -p $(@D)
	$(Q)clang++ $(sanitize) $^ -lz -latomic -pthread -o $@
-include $(SB)/perf/main.d

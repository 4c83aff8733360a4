# SPDX-License-Identifier: Apache-2.0
# The co-simulation: one program for each width of the core that is tried.
COSIM_WIDTHS := 512 64
COSIM_SRC := $(wildcard sim/cosim/*.cpp)
COSIM_MAIN := main
COSIM_OBJ := $(patsubst sim/%.cpp,$(SB)/%.o,$(filter-out $(COSIM_MAIN:%=sim/cosim/%.cpp),$(COSIM_SRC)))
COSIM_BIN := $(COSIM_WIDTHS:%=$(SB)/cosim/%/bench)
SIM_BIN += $(COSIM_BIN)
COSIM_BIN += $(SB)/cosim/128/bench # for the faults of sim/mutate

$(patsubst sim/%.cpp,$(SB)/%.o,$(COSIM_SRC)): $(SB)/%.o: sim/%.cpp sim/cosim/rules.mk
	@mkdir -p $(@D)
	$(Q)$(SIM_CXX) -Wno-c99-designator -O2 -g1 -c $< -o $@

$(COSIM_BIN): $(SB)/cosim/%/bench: $(SB)/cosim/main.o $(COSIM_OBJ) $(SIM_SHARED_OBJ) $(SB)/core/%/libzn_sim.a \
		$(DRIVER_LIB) $(LIB)
	@mkdir -p $(@D)
	$(Q)clang++ $(sanitize) $^ -lz -latomic -pthread -o $@
-include $(patsubst sim/%.cpp,$(SB)/%.d,$(COSIM_SRC))

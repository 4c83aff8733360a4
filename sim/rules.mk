# SPDX-License-Identifier: Apache-2.0
# Benches of RTL modules. sim/<module>/*.cpp with sim/<module>/<module>_bench.cpp make one program for each line of
# sim/<module>/variants ("name Parameter=value ..."; without that file, one called `default`). In a bench, BENCH_<Parameter>
# is the value. The folder's rules.mk may set, for <module>:
#   SIM_TOP_<module>   the module to verilate, if not <module>
#   SIM_OBJ_<module>   objects and archives to link besides
#   SIM_LIBS_<module>  libraries
#   SIM_OPT_<module>   optimisation of the Verilated code, default -O1
# TRACE=1 builds them with waveforms, in a folder of their own.
SB := $(B)/sim$(if $(TRACE),-trace)
VERILATOR := verilator
VERILATOR_ROOT = $(eval VERILATOR_ROOT := $(shell $(VERILATOR) --getenv VERILATOR_ROOT))$(VERILATOR_ROOT)

RTL_DIRS := $(sort $(dir $(wildcard rtl/*.sv rtl/*/*.sv)))
RTL_PKG := rtl/pkg/zn_contract_pkg.sv rtl/pkg/zn_pkg.sv
# $(call rtl_file,module) and $(call rtl_pkg,module): its file; the packages that it may need, in order (those of its own
# folder, or all for what joins the folders).
rtl_file = $(firstword $(wildcard $(RTL_DIRS:%=%$(1).sv)))
rtl_pkg = $(RTL_PKG) $(filter-out $(RTL_PKG),$(wildcard $(if $(filter rtl/ rtl/shell/,$(dir $(call rtl_file,$(1)))),rtl/*/,$(dir \
	$(call rtl_file,$(1))))*_pkg.sv))
VERILATE := $(VERILATOR) --cc --prefix Vdut --compiler clang --assert -MMD -Wno-fatal \
	--x-initial unique $(if $(TRACE),--trace-fst --trace-structs) $(RTL_DIRS:%/=-y %)

SIM_CXX = clang++ -std=c++17 -Wall -Wextra $(sanitize) -DVM_TRACE=$(if $(TRACE),1,0) -MMD -MP \
	-isystem $(VERILATOR_ROOT)/include -isystem $(VERILATOR_ROOT)/include/vltstd -Isim -Idriver -Ihost -Ihost/include

SIM_DIRS := $(patsubst sim/%/,%,$(dir $(foreach d,$(wildcard sim/*/),$(wildcard $d$(notdir $(d:/=))_bench.cpp))))
# One word a bench: module:variant:Parameter=value,...
SIM_VARIANTS := $(shell for d in $(SIM_DIRS); do { cat sim/$$d/variants 2>/dev/null || echo default; } | \
	awk -v d=$$d '/^[^\#]/ { p = ""; for (i = 2; i <= NF; i++) p = p (i > 2 ? "," : "") $$i; print d ":" $$1 ":" p }'; done)
include $(wildcard $(SIM_DIRS:%=sim/%/rules.mk))

SIM_SHARED := $(SB)/shared.a
SIM_BIN :=

# $(call sim_rules,module,variant,parameters)
define sim_rules
SIM_BIN += $(SB)/$(1)/$(2)/bench
$(SB)/$(1)/$(2)/verilated: $$(wildcard sim/$(1)/variants sim/$(1)/rules.mk $$(shell sed 's/.*: //' $(SB)/$(1)/$(2)/Vdut__ver.d 2>/dev/null)) \
		sim/rules.mk
	@mkdir -p $$(@D)
	$$(Q)$(VERILATE) -Mdir $$(@D) $(3:%=-G%) --top-module $(or $(SIM_TOP_$(1)),$(1)) \
		$(call rtl_pkg,$(or $(SIM_TOP_$(1)),$(1))) $(call rtl_file,$(or $(SIM_TOP_$(1)),$(1))) && touch $$@
$(SB)/$(1)/$(2)/Vdut__ALL.a: $(SB)/$(1)/$(2)/verilated
	$$(Q)$$(MAKE) -s -C $$(@D) -f Vdut.mk Vdut__ALL.a CXX=clang++ RM='rm -f' VK_USER_OBJS= \
		OPT_FAST='$(or $(SIM_OPT_$(1)),-O1) $(sanitize)' OPT_SLOW='-O0 $(sanitize)' OPT_GLOBAL=-O1 >/dev/null && touch $$@
$(patsubst sim/$(1)/%.cpp,$(SB)/$(1)/$(2)/%.o,$(wildcard sim/$(1)/*.cpp)): \
		$(SB)/$(1)/$(2)/%.o: sim/$(1)/%.cpp $(SB)/$(1)/$(2)/verilated
	$$(Q)$$(SIM_CXX) -O1 -g1 -I$$(@D) $(3:%=-DBENCH_%) -c $$< -o $$@
$(SB)/$(1)/$(2)/bench: $(patsubst sim/$(1)/%.cpp,$(SB)/$(1)/$(2)/%.o,$(wildcard sim/$(1)/*.cpp)) \
		$(SB)/$(1)/$(2)/Vdut__ALL.a $(SIM_SHARED) $(SIM_OBJ_$(1))
	$$(Q)clang++ $(sanitize) $$^ $(SIM_LIBS_$(1)) -lz -latomic -pthread -o $$@
-include $(patsubst sim/$(1)/%.cpp,$(SB)/$(1)/$(2)/%.d,$(wildcard sim/$(1)/*.cpp))
endef
comma := ,
sim_word = $(call sim_rules,$(word 1,$(1)),$(word 2,$(1)),$(subst $(comma),$(space),$(word 3,$(1))))
$(foreach v,$(SIM_VARIANTS),$(eval $(call sim_word,$(subst :,$(space),$(v)))))

# Verilator's runtime and what the benches share, once.
SIM_RUNTIME := verilated verilated_threads $(if $(TRACE),verilated_fst_c)
$(SIM_RUNTIME:%=$(SB)/runtime/%.o): $(SB)/runtime/%.o: sim/rules.mk
	@mkdir -p $(@D)
	$(Q)$(SIM_CXX) -w -O2 -c $(VERILATOR_ROOT)/include/$*.cpp -o $@
SIM_SHARED_OBJ := $(patsubst sim/%.cpp,$(SB)/%.o,$(wildcard sim/bench/*.cpp))
$(SIM_SHARED_OBJ): $(SB)/%.o: sim/%.cpp sim/rules.mk
	@mkdir -p $(@D)
	$(Q)$(SIM_CXX) -O2 -g1 -c $< -o $@
$(SIM_SHARED): $(SIM_SHARED_OBJ) $(SIM_RUNTIME:%=$(SB)/runtime/%.o)
	$(Q)$(call archive,$^)
-include $(SIM_SHARED_OBJ:.o=.d)

include sim/core/rules.mk sim/cosim/rules.mk sim/perf/rules.mk

sim-bin: $(if $(ONLY),$(foreach b,$(SIM_BIN),$(if $(findstring $(ONLY),$(b)),$(b))),$(SIM_BIN))
.PHONY: sim-bin

# SPDX-License-Identifier: Apache-2.0
# The Verilated core as a library, once for each line of sim/core/variants. The one called `default` is build/libzn_sim.a.
SIM_CORES := $(shell awk '/^[^\#]/ { print $$1 }' sim/core/variants)
SIM_RTL := $(wildcard rtl/*.sv rtl/pkg/*.sv rtl/prim/*.sv rtl/rx/*.sv rtl/tx/*.sv)
SIM_CORE_PKG := $(call rtl_pkg,zn_core)
sim_core = $(SB)/core/$(1)/libzn_sim.a

# $(call sim_core_rules,variant,parameters,folder of the RTL,library)
define sim_core_rules
$(4): $(SIM_RTL:rtl/%=$(3)/%) sim/core/variants sim/core/rules.mk sim/core/zn_sim.cpp sim/core/zn_sim.h \
		$(SIM_RUNTIME:%=$(SB)/runtime/%.o)
	@mkdir -p $$(@D)/core
	$$(Q)$(VERILATOR) --cc --prefix Vzn_core --compiler clang --assert -Wno-fatal --x-initial unique --output-split 20000 \
		$(if $(TRACE),--trace-fst --trace-structs) $(RTL_DIRS:rtl/%=-y $(3)/%) -Mdir $$(@D)/core $(2:%=-G%) \
		--top-module zn_core $(SIM_CORE_PKG:rtl/%=$(3)/%) $(3)/zn_core.sv
	@$$(MAKE) -s -C $$(@D)/core -f Vzn_core.mk Vzn_core__ALL.a CXX=clang++ RM='rm -f' VK_USER_OBJS= \
		OPT_FAST='$(or $(SIM_CORE_OPT),-O2) $(sanitize)' OPT_SLOW='-O0 $(sanitize)' OPT_GLOBAL=-O1 >/dev/null
	@$$(SIM_CXX) -O2 -g1 -I$$(@D)/core $(2:%=-DSIM_%) -c sim/core/zn_sim.cpp -o $$(@D)/zn_sim.o
	@cp $$(@D)/core/Vzn_core__ALL.a $$@ && $(AR) rs $$@ $$(@D)/zn_sim.o $(SIM_RUNTIME:%=$(SB)/runtime/%.o) 2>/dev/null
endef
sim_core_parameters = $(shell awk '$$1 == "$(1)" { $$1 = ""; print }' sim/core/variants)
$(foreach v,$(SIM_CORES),$(eval $(call sim_core_rules,$(v),$(call sim_core_parameters,$(v)),rtl,$(call sim_core,$(v)))))

$(B)/libzn_sim.a: $(call sim_core,default)
	$(Q)cp $< $@
sim-core: $(B)/libzn_sim.a
.PHONY: sim-core

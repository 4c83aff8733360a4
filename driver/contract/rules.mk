# SPDX-License-Identifier: Apache-2.0
# The contract's generated forms are committed; `make contract` makes them again.
CONTRACT_GEN := $(B)/contract_gen

$(CONTRACT_GEN): driver/contract/contract_gen.c driver/contract/contract.def
	$(Q)$(CC) $(CFLAGS_ALL) $< -o $@

contract: $(CONTRACT_GEN)
	$(CONTRACT_GEN) c >driver/contract/contract.h
	$(CONTRACT_GEN) sv >rtl/pkg/zn_contract_pkg.sv
	$(CONTRACT_GEN) md >driver/contract/CONTRACT.md
.PHONY: contract

# SPDX-License-Identifier: Apache-2.0
# Devices. What includes DPDK is built where that is installed, and linked only into programs that ask for it.
DPDK_CFLAGS := $(if $(ARCH),,$(shell $(PKG_CONFIG) --cflags libdpdk 2>/dev/null))
DPDK_LIBS := $(if $(DPDK_CFLAGS),$(shell $(PKG_CONFIG) --libs libdpdk))
ETHDEV_SRC := $(if $(DPDK_CFLAGS),driver/device/ethdev.c)
DRIVER_SRC += $(filter-out driver/device/ethdev.c driver/device/sim_device.c,$(wildcard driver/device/*.c))
SIM_DEVICE_OBJ := $(call obj,driver/device/sim_device.c)
$(SIM_DEVICE_OBJ): FOLDER_CFLAGS := -Isim
ETHDEV_OBJ := $(call obj,$(ETHDEV_SRC))
$(ETHDEV_OBJ): FOLDER_CFLAGS := $(filter-out -include rte_config.h,$(DPDK_CFLAGS)) -Wno-conversion -Wno-shadow

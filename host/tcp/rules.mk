# SPDX-License-Identifier: Apache-2.0
LIB_SRC += $(wildcard host/tcp/*.c)

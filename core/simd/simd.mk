# The vector kernels are compiled once for each instruction level and chosen at run time (core/simd/simd.h). The
# bf16 kernels on AMX's tiles are one more object, executed where the CPU has them (core/simd/amx.h).
ifeq (x86_64,$(if $(BUILDING),$(shell $(CC) -dumpmachine | cut -d- -f1)))
LEVELS := v2 v3 v4
AMX    := amx
else
LEVELS := base
endif
AMX_FLAGS := -march=x86-64-v4 -mprefer-vector-width=512 -mamx-tile -mamx-bf16
LEVEL_FLAGS_v2 := -march=x86-64-v2
LEVEL_FLAGS_v3 := -march=x86-64-v3
LEVEL_FLAGS_v4 := -march=x86-64-v4 -mprefer-vector-width=512
# Products and sums may be contracted to FMA here: every level has its own rounding anyway.
# Without traps to mind, comparisons become vector instructions.
LEVEL_FLAGS = -ffp-contract=fast -fno-trapping-math -DEAD_LEVEL=$* $(LEVEL_FLAGS_$*) $(LEVEL_FLAGS_$(CONFIG))
# Here is most of the time of tests under sanitizers, and checks of pointers after each load are most of that. Memory, the
# bounds of arrays and overflows stay checked; local arrays by their bounds alone, so that they can be registers.
LEVEL_FLAGS_asan := -O2 -fno-sanitize=pointer-overflow,null,alignment,object-size $(if $(CLANG),-mllvm -asan-stack=0,--param asan-stack=0)
DOUBLE_float  :=
DOUBLE_double := -DEAD_DOUBLE

define simd_rules
$(LEVELS:%=$(BUILD)/$(1)/simd_%.o): $(BUILD)/$(1)/simd_%.o: core/simd/level/kernels.c $(BUILD)/flags
	@mkdir -p $$(@D)
	@echo "  CC $$< ($$*, $(1))"
	@$$(CC) $$(ALL_CFLAGS) $$(LEVEL_FLAGS) $(DOUBLE_$(1)) -MMD -MP -c -o $$@ $$<

$(AMX:%=$(BUILD)/$(1)/simd_%.o): core/simd/level/amx_instructions.c $(BUILD)/flags
	@mkdir -p $$(@D)
	@echo "  CC $$< ($(1))"
	@$$(CC) $$(ALL_CFLAGS) $$(AMX_FLAGS) $(DOUBLE_$(1)) -MMD -MP -c -o $$@ $$<
endef
$(eval $(call simd_rules,float))
$(eval $(call simd_rules,double))

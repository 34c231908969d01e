# The program, disturbed in many ways; see test/torture/torture.c. TORTURE=short: a few tries of each kind, in less than
# a minute; long: thousands. The same TORTURE_SEED makes the same tries.
TORTURE      := long
TORTURE_SEED := 1
DRIVER       := $(BUILD)/torture/driver
PRELOAD      := $(BUILD)/torture/preload_faults.so
$(PRELOAD): test/torture/preload_faults.c $(BUILD)/flags
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O2 -g -I. -Wall -Wextra -U_FORTIFY_SOURCE -MMD -MP -shared -fPIC -o $@ $< -ldl
$(DRIVER): $(call objects,$(filter-out %/preload_faults.c,$(wildcard test/torture/*.c)),float) $(PROGRAM_OBJECTS) \
    $(LIBRARY_OBJECTS) $(CUDA_CHOICE)
	@mkdir -p $(@D)
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)
torture: program $(DRIVER) $(PRELOAD) ## kills, failing calls and full disks by the thousand; TORTURE=short: a minute
	@$(DRIVER) $(PROGRAM) $(PRELOAD) $(TORTURE_SEED) $(TORTURE)
.PHONY: torture

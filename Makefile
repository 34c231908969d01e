# make            builds build/efficientad, build/libefficientad.a and .so
# make test       builds and runs all tests          make asan test, make ubsan test: the same under a sanitizer
# make demo       packages, build, generated data, training, evaluation, report
# make emulated   builds build/emulated/efficientad, which does bf16 in emulation: slow, to see its accuracy without AMX
# make test-cuda-host  runs the CUDA kernels on the CPU, thread by thread (test/cuda_host); part of make test
# make fuzz       runs every fuzz target for FUZZ_SECONDS=60 each (needs clang)
# make CUDA=0     leaves the CUDA backend out        make cuda-objects compiles it and links nothing
# make portable   build/portable: program and the libraries it needs, for machines without them; PORTABLE_CUBLAS=0
#                 leaves out the 600 MB of cuBLAS, which only fp32 on CUDA needs
# make install    PREFIX=/usr/local                  make format, make golden (needs PyTorch)
#
# One folder a configuration under build/, dependencies generated, sources found by wildcard: a new op, model,
# data set, command or test needs no edit here.

MAKEFLAGS += --no-builtin-rules
CONFIG := $(or $(filter asan ubsan,$(MAKECMDGOALS)),release)
BUILD  := build/$(CONFIG)

CC       ?= cc
PACKAGES := libpng libjpeg libtiff-4 yaml-0.1 jansson libzip
BLAS     := openblas
PKG_CONFIG_ALL = pkg-config --silence-errors

WARNINGS := -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
VERSION  := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
# Touched only when the version has changed, so that one file is compiled anew and not all.
VERSION_FILE := build/version
$(shell mkdir -p build; echo '$(VERSION)' | cmp -s - $(VERSION_FILE) || echo '$(VERSION)' > $(VERSION_FILE))
CPPFLAGS += -I. -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700
CFLAGS_release := -O3 -g -fno-math-errno
CFLAGS_asan    := -O1 -g -fsanitize=address -fno-omit-frame-pointer
CFLAGS_ubsan   := -O1 -g -fsanitize=undefined -fno-sanitize-recover=all
SANITIZE := $(filter -fsanitize%,$(CFLAGS_$(CONFIG)))
ALL_CFLAGS = $(WARNINGS) $(CFLAGS_$(CONFIG)) -fPIC -fopenmp -ffp-contract=off $(CPPFLAGS) $(CFLAGS) \
    $(shell $(PKG_CONFIG_ALL) --cflags $(PACKAGES) $(BLAS))
# What the inference library needs, and what the program needs besides.
LIBRARY_LIBS = $(shell $(PKG_CONFIG_ALL) --libs jansson $(BLAS)) $(CUDA_LIBS) -lpthread -lm
LIBS = $(shell $(PKG_CONFIG_ALL) --libs $(PACKAGES)) $(LIBRARY_LIBS)
ALL_LDFLAGS = -fopenmp $(SANITIZE) $(LDFLAGS)

# The CUDA backend is built where nvcc is, in the release build. Code for compute capability 8.0 runs on all 8.x
# cards, 9.0a is Hopper with its own instructions, and later cards compile the PTX of 9.0 when they first run it.
# The runtime is linked statically: the program starts without CUDA, too, and without a driver says so.
CUDA ?= 1
NVCC := $(or $(shell command -v nvcc),$(wildcard /usr/local/cuda/bin/nvcc))
HAVE_CUDA := $(if $(filter-out release,$(CONFIG)),,$(if $(filter 0,$(CUDA)),,$(NVCC)))
CUDA_HOME := $(if $(NVCC),$(abspath $(dir $(realpath $(NVCC)))..))
CUDA_LIBS = $(if $(HAVE_CUDA),-L$(CUDA_HOME)/lib64 -lcudart_static -lstdc++ -ldl -lrt)
NVCC_FLAGS := -std=c++20 -O3 -I. -Icore/cuda/device -t 2 -Werror all-warnings -Xcompiler=-fPIC,-Wall,-Wextra,-Wno-missing-field-initializers
NVCC_HOPPER := -gencode arch=compute_90a,code=sm_90a
NVCC_CARDS  := -gencode arch=compute_80,code=sm_80 $(NVCC_HOPPER) -gencode arch=compute_90,code=compute_90
# Touched only when the choice has changed, so that everything is linked anew.
CUDA_FILE := $(BUILD)/cuda_choice
$(shell mkdir -p $(BUILD); echo '$(HAVE_CUDA)' | cmp -s - $(CUDA_FILE) || echo '$(HAVE_CUDA)' > $(CUDA_FILE))

# What `make test` and `make demo` need is installed while this file is read, so before anything is compiled.
ifneq (,$(filter test test-cuda-host demo,$(MAKECMDGOALS)))
$(shell sh test/install_packages.sh)
ifneq (0,$(.SHELLSTATUS))
$(error packages are missing, see above)
endif
endif

# The vector kernels are compiled once for each instruction level and chosen at run time (core/simd/simd.h).
ifeq ($(shell $(CC) -dumpmachine | cut -d- -f1),x86_64)
LEVELS := v2 v3 v4
AMX    := amx
else
LEVELS := base
endif
# The bf16 kernels on AMX's tiles are one more object, executed where the CPU has them (core/simd/amx.h).
AMX_FLAGS := -march=x86-64-v4 -mprefer-vector-width=512 -mamx-tile -mamx-bf16
LEVEL_FLAGS_v2 := -march=x86-64-v2
LEVEL_FLAGS_v3 := -march=x86-64-v3
LEVEL_FLAGS_v4 := -march=x86-64-v4 -mprefer-vector-width=512
level_objects = $(LEVELS:%=$(BUILD)/$(1)/simd_%.o)
amx_objects   = $(AMX:%=$(BUILD)/$(1)/simd_%.o)
GENERATED := build/generated
FOLDERS   := core autograd models data train bench test

LIBRARY_SOURCES := $(filter-out %/backend_cuda.c %/backend_without_cuda.c,$(wildcard core/*/*.c core/ops/*/*.c core/ops/*/*/*.c \
    models/*.c models/*/*.c))
CUDA_SOURCES    := $(wildcard core/cuda/*.cu core/ops/*/*_cuda.cu core/ops/*/cuda/*_cuda.cu)
PROGRAM_SOURCES := $(wildcard autograd/*.c data/*/*.c train/*.c train/*/*.c bench/*.c)
SUPPORT_SOURCES := $(wildcard test/support/support_*.c)
# Shared by the float suites and the double ones: the engine and the op cases, nothing of data/ or train/.
DOUBLE_SOURCES  := $(LIBRARY_SOURCES) core/backend/backend_without_cuda.c $(wildcard autograd/*.c) test/support/support_op_cases.c
objects = $(patsubst %.c,$(BUILD)/$(2)/%.o,$(1))

CUDA_OBJECTS    := $(CUDA_SOURCES:%.cu=$(BUILD)/cuda/%.o)
BACKEND_OBJECTS := $(if $(HAVE_CUDA),$(CUDA_OBJECTS)) \
    $(BUILD)/float/core/backend/$(if $(HAVE_CUDA),backend_cuda,backend_without_cuda).o
LIBRARY_OBJECTS := $(call objects,$(LIBRARY_SOURCES),float) $(call level_objects,float) $(call amx_objects,float) \
    $(BACKEND_OBJECTS)
PROGRAM_OBJECTS := $(call objects,$(filter-out train/main.c,$(PROGRAM_SOURCES)),float)
MAIN_OBJECT     := $(call objects,train/main.c,float)
SUPPORT_OBJECTS := $(call objects,$(SUPPORT_SOURCES),float)
DOUBLE_OBJECTS  := $(call objects,$(DOUBLE_SOURCES),double) $(call level_objects,double) $(call amx_objects,double)
TEST_SOURCES := $(wildcard test/*/test_*.c test/*/double_*.c)
TESTS  := $(addprefix $(BUILD)/test/,$(basename $(notdir $(TEST_SOURCES))))
FUZZERS := $(patsubst test/fuzz/%.c,build/fuzz/%,$(wildcard test/fuzz/fuzz_*.c))

PROGRAM := $(if $(filter release,$(CONFIG)),build/efficientad,$(BUILD)/efficientad)
LIBRARY := $(if $(filter release,$(CONFIG)),build,$(BUILD))/libefficientad

.PHONY: all tests cuda-objects portable asan ubsan test test-cuda-host demo emulated fuzz fuzzers install format golden backends clean
.DEFAULT_GOAL := all
.SECONDARY:
all: backends
asan ubsan: $(PROGRAM)

backends: $(PROGRAM) $(LIBRARY).a $(LIBRARY).so
	@$(PROGRAM) --backends

$(PROGRAM): $(MAIN_OBJECT) $(PROGRAM_OBJECTS) $(LIBRARY_OBJECTS) $(CUDA_FILE) | $(BUILD)/include_arrows
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)

$(LIBRARY).a: $(LIBRARY_OBJECTS) $(CUDA_FILE)
	@rm -f $@ && ar rcs $@ $(filter %.o,$^)

$(LIBRARY).so: $(LIBRARY_OBJECTS) $(CUDA_FILE)
	@echo "  LINK $@"
	@$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,libefficientad.so.0 -Wl,--exclude-libs,libcudart_static.a -o $@ $(filter %.o,$^) $(LIBRARY_LIBS)

# Which folder may include which; see the table in the script.
$(BUILD)/include_arrows: test/include_arrows.sh $(shell find $(FOLDERS) -name "*.[ch]" -o -name "*.cu*")
	@mkdir -p $(@D)
	@sh test/include_arrows.sh && touch $@

$(BUILD)/float/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/double/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $< (double)"
	@$(CC) $(ALL_CFLAGS) -DEAD_DOUBLE -MMD -MP -c -o $@ $<

# Products and sums are contracted to FMA in convolutions alone: all other kernels wait for memory, so it costs
# nothing that they round like the CPU's.
$(CUDA_OBJECTS): CONTRACT := false
$(filter $(BUILD)/cuda/core/ops/conv2d%,$(CUDA_OBJECTS)): CONTRACT := true
# Kernels of Hopper's own instructions are compiled for it alone.
$(CUDA_OBJECTS): CARDS := $(NVCC_CARDS)
$(filter %_wgmma_cuda.o,$(CUDA_OBJECTS)): CARDS := $(NVCC_HOPPER)
$(BUILD)/cuda/%.o: %.cu
	@mkdir -p $(@D)
	@echo "  NVCC $<"
	@$(NVCC) $(NVCC_FLAGS) $(CARDS) -fmad=$(CONTRACT) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

cuda-objects: $(CUDA_OBJECTS)

$(BUILD)/float/train/support/version.o: CPPFLAGS += -DEAD_VERSION='"$(VERSION)"'
$(BUILD)/float/train/support/version.o: $(VERSION_FILE)

$(GENERATED)/winograd_matrices.h: core/simd/generate/winograd_matrices.c
	@mkdir -p $(@D)
	@$(CC) $(WARNINGS) -O1 -o $(@D)/winograd_matrices $< && $(@D)/winograd_matrices > $@.tmp && mv $@.tmp $@

# Products and sums may be contracted to FMA here: every level has its own rounding anyway.
LEVEL_CFLAGS = $(ALL_CFLAGS) -I$(GENERATED) -ffp-contract=fast -DEAD_LEVEL=$* $(LEVEL_FLAGS_$*)
$(call level_objects,float): $(BUILD)/float/simd_%.o: core/simd/level/kernels.c $(GENERATED)/winograd_matrices.h
	@mkdir -p $(@D)
	@echo "  CC $< ($*)"
	@$(CC) $(LEVEL_CFLAGS) -MMD -MP -c -o $@ $<

$(call level_objects,double): $(BUILD)/double/simd_%.o: core/simd/level/kernels.c $(GENERATED)/winograd_matrices.h
	@mkdir -p $(@D)
	@echo "  CC $< ($*, double)"
	@$(CC) $(LEVEL_CFLAGS) -DEAD_DOUBLE -MMD -MP -c -o $@ $<

$(call amx_objects,float): core/simd/level/amx_instructions.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(ALL_CFLAGS) $(AMX_FLAGS) -MMD -MP -c -o $@ $<

$(call amx_objects,double): core/simd/level/amx_instructions.c
	@mkdir -p $(@D)
	@echo "  CC $< (double)"
	@$(CC) $(ALL_CFLAGS) $(AMX_FLAGS) -DEAD_DOUBLE -MMD -MP -c -o $@ $<

# The one test that looks at the generated matrices.
MATRIX_TEST := $(BUILD)/double/test/core/double_winograd.o
$(MATRIX_TEST): CPPFLAGS += -I$(GENERATED)
$(MATRIX_TEST): $(GENERATED)/winograd_matrices.h

CHECK_LIBS = $(shell $(PKG_CONFIG_ALL) --libs check)
.SECONDEXPANSION:
test_object = $(BUILD)/$(1)/$(basename $(filter %/$(2).c,$(TEST_SOURCES))).o
$(BUILD)/test/test_%: $$(call test_object,float,test_$$*) $(SUPPORT_OBJECTS) $(PROGRAM_OBJECTS) $(LIBRARY_OBJECTS) $(CUDA_FILE)
	@mkdir -p $(@D)
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(CHECK_LIBS) $(LIBS)

$(BUILD)/test/double_%: $$(call test_object,double,double_$$*) $(DOUBLE_OBJECTS)
	@mkdir -p $(@D)
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(LIBS)

# The CUDA kernels as C++ for the host runner, and its tests, under sanitizers; the engine around them is the one of
# this build. Kernels may use what the runner offers and nothing else: what is missing there does not compile.
HOST_BUILD   := build/cuda_host
HOST_TESTS   := $(if $(filter release,$(CONFIG)),$(patsubst %,$(HOST_BUILD)/%,$(notdir $(basename $(wildcard test/cuda_host/host_test_*.c*)))))
HOST_SOURCES := $(wildcard core/ops/*/*_cuda.cu core/ops/*/cuda/*_cuda.cu test/cuda_host/*.c*)
HOST_OBJECTS := $(patsubst %,$(HOST_BUILD)/%.o,$(basename $(filter-out test/cuda_host/host_test_% %.cuh,$(HOST_SOURCES))))
HOST_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fsanitize-sections=ead_shared
HOST_FLAGS = -O1 -g -I. -Itest/cuda_host -Wall -Wextra -Wshadow -Wno-missing-field-initializers -Wno-unknown-pragmas \
    -Werror -ffp-contract=off -fno-omit-frame-pointer $(HOST_SANITIZE) -MMD -MP \
    $(shell $(PKG_CONFIG_ALL) --cflags $(PACKAGES))
$(HOST_BUILD)/%.o: %.cu
	@mkdir -p $(@D)
	@echo "  CXX $< (host runner)"
	@$(CXX) -std=c++20 $(HOST_FLAGS) -x c++ -c -o $@ $<
$(HOST_BUILD)/%.o: %.cpp
	@mkdir -p $(@D)
	@echo "  CXX $<"
	@$(CXX) -std=c++20 $(filter-out -fsanitize%,$(HOST_FLAGS)) -O2 -c -o $@ $<
$(HOST_BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $< (host runner)"
	@$(CC) -std=c11 $(HOST_FLAGS) -fopenmp $(CPPFLAGS) -c -o $@ $<
$(HOST_BUILD)/host_test_%: $(HOST_BUILD)/test/cuda_host/host_test_%.o $(HOST_OBJECTS) $(BUILD)/float/core/backend/backend_cuda.o \
    $(filter-out $(BACKEND_OBJECTS),$(LIBRARY_OBJECTS)) $(SUPPORT_OBJECTS) $(PROGRAM_OBJECTS)
	@echo "  LINK $@"
	@$(CXX) -fopenmp $(HOST_SANITIZE) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(filter-out $(CUDA_LIBS),$(LIBS))

test-cuda-host: $(HOST_TESTS)
	@sh test/run_all.sh $(HOST_TESTS)

tests: $(TESTS)
test: $(PROGRAM) $(LIBRARY).a $(LIBRARY).so $(TESTS) $(HOST_TESTS)
	@BUILD=$(BUILD) PROGRAM=$(PROGRAM) LIBRARY=$(LIBRARY) sh test/run_all.sh $(TESTS) $(HOST_TESTS)

# A folder that runs wherever it is put: programs look for their libraries beside themselves. (The older kind of
# rpath, because it holds for what the libraries need, too.)
PORTABLE        := build/portable
PORTABLE_CUBLAS ?= 1
PORTABLE_LINK    = @mkdir -p $(@D); echo "  LINK $@"; $(CC) $(ALL_LDFLAGS) -Wl,-s -Wl,--disable-new-dtags -Wl,-rpath,'$$ORIGIN/../lib' \
    -o $@ $(filter %.o,$^)
$(PORTABLE)/bin/efficientad: $(MAIN_OBJECT) $(PROGRAM_OBJECTS) $(LIBRARY_OBJECTS) $(CUDA_FILE)
	$(PORTABLE_LINK) $(LIBS)

$(PORTABLE)/bin/test_%: $$(call test_object,float,test_$$*) $(SUPPORT_OBJECTS) $(PROGRAM_OBJECTS) $(LIBRARY_OBJECTS) $(CUDA_FILE)
	$(PORTABLE_LINK) $(CHECK_LIBS) $(LIBS)

portable: $(PORTABLE)/bin/efficientad $(if $(HAVE_CUDA),$(PORTABLE)/bin/test_cuda $(PORTABLE)/bin/test_cuda_conv)
	@sh test/portable.sh collect $(PORTABLE) "$(if $(HAVE_CUDA),$(if $(filter 0,$(PORTABLE_CUBLAS)),,$(CUDA_HOME)/lib64))"
	@sh test/portable.sh check $(PORTABLE)
	@du -sh $(PORTABLE)

# For this machine only and never shipped, so compiled for it.
EMULATED_OBJECTS := $(patsubst %,$(BUILD)/emulated/%.o,emulated_amx support_amx_emulated)
$(EMULATED_OBJECTS): $(BUILD)/emulated/%.o: test/support/%.c
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -march=native -MMD -MP -c -o $@ $<
build/emulated/efficientad: $(MAIN_OBJECT) $(PROGRAM_OBJECTS) $(LIBRARY_OBJECTS) $(EMULATED_OBJECTS)
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter-out %/core/simd/amx.o,$^) $(LIBS)
emulated: build/emulated/efficientad

# Fuzz targets link what they call out of one archive of the parsers and what these need, all instrumented.
FUZZED := $(wildcard core/base/*.c core/file/*.c core/image/image.c data/codec/*.c data/dataset/csv_reader.c data/dataset/defect_types.c \
    data/source/*.c data/torch/*.c train/config/*.c train/sweep/sweep_file.c train/sweep/sweep_yaml.c train/sweep/sweep_expand.c \
    train/support/value.c train/support/suggest.c train/support/utf8.c)
FUZZ_SECONDS ?= 60
FUZZ_CFLAGS = -O1 -g -std=c11 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all $(CPPFLAGS) \
    $(shell $(PKG_CONFIG_ALL) --cflags $(PACKAGES))
build/fuzz/objects/%.o: %.c
	@mkdir -p $(@D)
	@clang $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<
build/fuzz/parsers.a: $(FUZZED:%.c=build/fuzz/objects/%.o)
	@rm -f $@ && ar rcs $@ $^
build/fuzz/fuzz_%: build/fuzz/objects/test/fuzz/fuzz_%.o build/fuzz/parsers.a
	@echo "  LINK $@"
	@clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)
fuzzers: $(FUZZERS)
fuzz: fuzzers
	@FUZZ_SECONDS=$(FUZZ_SECONDS) sh test/run_fuzz.sh $(FUZZERS)

demo:
	@sh bench/scripts/demo.sh

PREFIX ?= /usr/local
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include
	install -m 755 build/efficientad $(DESTDIR)$(PREFIX)/bin/
	install -m 644 build/libefficientad.a $(DESTDIR)$(PREFIX)/lib/
	install -m 755 build/libefficientad.so $(DESTDIR)$(PREFIX)/lib/libefficientad.so.0
	ln -sf libefficientad.so.0 $(DESTDIR)$(PREFIX)/lib/libefficientad.so
	install -m 644 models/efficientad.h $(DESTDIR)$(PREFIX)/include/
	install -d $(DESTDIR)$(PREFIX)/share/efficientad
	install -m 644 models/weights/*.safetensors $(DESTDIR)$(PREFIX)/share/efficientad/
	sed 's|@PREFIX@|$(PREFIX)|; s| @CUDA_LIBS@|$(CUDA_LIBS:%= %)|' models/efficientad.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/efficientad.pc

format:
	clang-format -i $(shell find $(FOLDERS) -name "*.[ch]" -o -name "*.cu*" -o -name "*.cpp")

golden:
	cd test/golden && python3 generate.py

clean:
	rm -rf build

-include $(shell find $(BUILD) build/cuda_host build/fuzz/objects -name '*.d' 2>/dev/null)

# The CUDA kernels as C++ for the host runner, and its tests, under sanitizers; the engine around them is the one of
# this build. Kernels may use what the runner offers and nothing else: what is missing there does not compile.
# Needs gcc: clang has no -fsanitize-sections.
HOST_BUILD   := build/cuda_host
HOST_TESTS   := $(if $(filter build/release,$(BUILD)),$(if $(CLANG),,$(patsubst %,$(HOST_BUILD)/%,$(notdir $(basename \
    $(wildcard test/cuda_host/host_test_*.c*))))))
HOST_SOURCES := $(wildcard core/ops/*/*_cuda.cu core/ops/*/cuda/*_cuda.cu test/cuda_host/*.c*)
HOST_OBJECTS := $(patsubst %,$(HOST_BUILD)/%.o,$(basename $(filter-out test/cuda_host/host_test_% %.cuh,$(HOST_SOURCES))))
HOST_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fsanitize-sections=ead_shared
HOST_FLAGS := -O1 -g -I. -Itest/cuda_host -Wall -Wextra -Wshadow -Wno-missing-field-initializers -Wno-unknown-pragmas \
    $(if $(filter 1,$(DEV)),-Werror) -ffp-contract=off -fno-omit-frame-pointer $(HOST_SANITIZE) -MMD -MP \
    $(call pkg_config,--cflags $(PACKAGES))
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
	@$(CC) -std=c11 $(HOST_FLAGS) -fopenmp $(DEFINES) $(CPPFLAGS) -c -o $@ $<
$(HOST_BUILD)/host_test_%: $(HOST_BUILD)/test/cuda_host/host_test_%.o $(HOST_OBJECTS) $(BUILD)/float/core/backend/backend_cuda.o \
    $(filter-out $(BACKEND_OBJECTS),$(LIBRARY_OBJECTS)) $(SUPPORT_OBJECTS) $(PROGRAM_OBJECTS)
	@echo "  LINK $@"
	@$(CXX) -fopenmp $(HOST_SANITIZE) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(filter-out $(CUDA_LIBS),$(LIBS))

test-cuda-host: $(HOST_TESTS) ## runs the CUDA kernels on the CPU, thread by thread; part of make test
	@BUILD=$(BUILD) sh test/run_all.sh $(HOST_TESTS)
.PHONY: test-cuda-host

# The CUDA backend is built where nvcc is, in the release build. Code for compute capability 8.0 runs on all 8.x
# cards, 9.0a is Hopper with its own instructions, and later cards compile the PTX of 9.0 when they first run it.
# Jetson Orin, which is 64-bit ARM, is 8.7 and runs no code of 8.0. NVCC_CARDS in the environment: other ones.
# The runtime is linked statically: the program starts without CUDA, too, and without a driver says so.
CUDA ?= 1
NVCC := $(or $(shell command -v nvcc),$(wildcard /usr/local/cuda/bin/nvcc))
HAVE_CUDA := $(if $(filter release,$(CONFIG)),$(if $(filter 0,$(CUDA)),,$(NVCC)))
CUDA_HOME := $(if $(NVCC),$(abspath $(dir $(realpath $(NVCC)))..))
CUDA_LIBS := $(if $(HAVE_CUDA),-L$(CUDA_HOME)/lib64 -lcudart_static -lstdc++ -ldl -lrt)
NVCC_FLAGS := -std=c++20 -O3 -I. -Icore/cuda/device -t 2 $(if $(filter 1,$(DEV)),-Werror all-warnings) \
    -Xcompiler=-fPIC,-fvisibility=hidden,-Wall,-Wextra,-Wno-missing-field-initializers
NVCC_HOPPER := -gencode arch=compute_90a,code=sm_90a
NVCC_ORIN   := -gencode arch=compute_87,code=sm_87
NVCC_JETSON := $(if $(HAVE_CUDA),$(if $(filter aarch64%,$(shell $(CC) -dumpmachine)),$(NVCC_ORIN)))
NVCC_CARDS  ?= -gencode arch=compute_80,code=sm_80 $(NVCC_JETSON) $(NVCC_HOPPER) -gencode arch=compute_90,code=compute_90
CUDA_SOURCES := $(wildcard core/cuda/*.cu core/ops/*/*_cuda.cu core/ops/*/cuda/*_cuda.cu)
CUDA_OBJECTS := $(CUDA_SOURCES:%.cu=$(BUILD)/cuda/%.o)
BACKEND_OBJECTS := $(if $(HAVE_CUDA),$(CUDA_OBJECTS)) \
    $(BUILD)/float/core/backend/$(if $(HAVE_CUDA),backend_cuda,backend_without_cuda).o
# Programs and libraries are linked anew when the choice has changed.
CUDA_CHOICE := $(BUILD)/cuda_choice
$(call stamp,$(CUDA_CHOICE),$(HAVE_CUDA) $(MPI_MODULE) $(HAVE_HTTP) $(ARAVIS_MODULE) $(RECEIVER_LIBS))

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

cuda-objects: $(CUDA_OBJECTS) ## compiles the CUDA backend and links nothing
.PHONY: cuda-objects

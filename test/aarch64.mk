# The same program for 64-bit ARM, built here and tried in emulation: right or wrong, not how fast.
AARCH64       := build/aarch64
AARCH64_ROOT  := build/aarch64_sysroot
AARCH64_TESTS := $(addprefix $(AARCH64)/test/,$(basename $(notdir $(foreach suite,$(if $(filter *,$(SUITES)),core models,$(SUITES)), \
    $(wildcard test/$(suite)/test_*.c test/$(suite)/double_*.c)))))
AARCH64_LIBS  := $(AARCH64_ROOT)/usr/lib/aarch64-linux-gnu
AARCH64_MAKE   = PKG_CONFIG_SYSROOT_DIR=$(AARCH64_ROOT) PKG_CONFIG_LIBDIR=$(AARCH64_LIBS)/pkgconfig:$(AARCH64_LIBS)/openblas-openmp/pkgconfig \
    $(MAKE) CC="$(AARCH64_CC) --sysroot=$(AARCH64_ROOT)" CUDA=0 BUILD=$(AARCH64) PACKAGES_CHECKED=1
AARCH64_CC    := aarch64-linux-gnu-gcc
# GCC 12 for ARM has an internal error where it turns a loop's fmax() of differences, of which tests have many, into vectors.
$(AARCH64)/float/test/%.o $(AARCH64)/double/test/%.o: ALL_CFLAGS += -fno-tree-vectorize
aarch64: ## build/aarch64/efficientad, for 64-bit ARM, by Debian's cross compiler
	@sh test/aarch64.sh $(AARCH64_ROOT)
	+@$(AARCH64_MAKE) program $(AARCH64)/libefficientad.so
test-aarch64: aarch64 ## the suites of core and models (or SUITES) for 64-bit ARM, in emulation by qemu
	+@$(AARCH64_MAKE) $(AARCH64_TESTS)
	@RUN="qemu-aarch64-static -L $(abspath $(AARCH64_ROOT))" PROGRAM=$(AARCH64)/efficientad BUILD=$(AARCH64) sh test/run_all.sh $(AARCH64_TESTS)
.PHONY: aarch64 test-aarch64

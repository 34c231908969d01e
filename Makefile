# `make help` lists the targets. Parts stand beside what they build, as *.mk; install.mk is what packagers read.
#
# One folder under build/ for each configuration, dependencies generated, sources found by wildcard: a new op,
# model, data set, command or test needs no edit here. Set on the command line or in the environment:
#   CC=clang  DEV=1 (warnings are errors)  CUDA=0 (no CUDA backend)  MPI=1 (several processes)  ARAVIS=1 (cameras)  BUILD=build/other (another folder)

ONLY_TELLS := $(findstring n,$(firstword -$(MAKEFLAGS)))
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all
GOALS := $(or $(MAKECMDGOALS),all)
CC    ?= cc

# `make asan test` makes the other goals under a sanitizer, each sanitizer in a make of its own.
SANITIZERS := $(filter asan tsan,$(GOALS))
ifneq (,$(SANITIZERS))
.NOTPARALLEL:
.PHONY: $(GOALS)
$(SANITIZERS):
	@$(MAKE) CONFIG=$@ $(if $(filter tsan,$@),CC='$(if $(findstring clang,$(CC)),$(CC),clang)') $(or $(filter-out $(SANITIZERS),$(GOALS)),program)
$(filter-out $(SANITIZERS),$(GOALS)): $(SANITIZERS) ; @:
else

# Nothing is installed while this is read: goals that test, and deps, install it and start anew; others name it and end.
BUILDING := $(filter-out help clean format golden deps dist uninstall,$(GOALS))
TESTING  := $(filter deps check test tests trial trial-debian watch-torture headers test-cuda-host demo fuzz,$(GOALS))
MISSING  := $(if $(BUILDING),$(if $(PACKAGES_CHECKED),,$(shell CC='$(CC)' MPI='$(MPI)' ARAVIS='$(ARAVIS)' sh test/packages.sh list $(TESTING))))
ifneq (,$(if $(MISSING),$(TESTING)))
AFTER := $(filter-out deps,$(GOALS))
.PHONY: $(AFTER)
$(firstword $(AFTER)): deps
	@$(MAKE) PACKAGES_CHECKED=1 $(AFTER)
$(wordlist 2,99,$(AFTER)): $(firstword $(AFTER)) ; @:
else
$(if $(MISSING),$(error missing packages: $(MISSING); `make deps` installs them (on Debian and Ubuntu)))

CONFIG   := release
BUILD    := build/$(CONFIG)
OUT      := $(if $(filter build/release,$(BUILD)),build,$(BUILD))
PROGRAM  := $(OUT)/efficientad
LIBRARY  := $(OUT)/libefficientad
GENERATED := build/generated
CLANG    := $(findstring clang,$(if $(BUILDING),$(shell $(CC) --version)))
OPENMP   := $(if $(CLANG),-l:libomp.so.5,-lgomp)
# The version stands in VERSION; a build from git says which commit, too.
RELEASE  := $(shell cat VERSION)
VERSION  := $(RELEASE)$(if $(wildcard .git),$(addprefix -g,$(shell git describe --always --exclude '*' --dirty 2>/dev/null)))
# A file with a text, touched only when the text has changed. Packages are compiled elsewhere, and make -n compiles nothing.
stamp     = $(if $(filter-out deb container,$(BUILDING)),$(if $(and $(ONLY_TELLS),$(wildcard $(1))),,$(shell mkdir -p $(dir $(1)); echo '$(2)' | cmp -s - $(1) || echo '$(2)' >$(1))))

PACKAGES  := libpng zlib libjpeg libtiff-4 libwebp libwebpdemux yaml-0.1 jansson libzip
pkg_config = $(if $(BUILDING),$(shell pkg-config --silence-errors $(1)))
WARNINGS  := -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
    $(if $(CLANG),-Wno-sign-conversion -Wno-missing-field-initializers -Wno-string-conversion) $(if $(filter 1,$(DEV)),-Werror)
DEFINES   := -I. -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700
CFLAGS_release := -O3 -g -fno-math-errno
CFLAGS_asan    := -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -Wno-pass-failed
CFLAGS_tsan    := -O1 -g1 -fsanitize=thread -Wno-pass-failed
SANITIZE  := $(filter -fsanitize%,$(CFLAGS_$(CONFIG)))
# The library exports what models/efficientad.h marks EAD_API and nothing else; nodelete: threads that wait outlive dlclose().
ALL_CFLAGS := $(WARNINGS) $(CFLAGS_$(CONFIG)) -fPIC -fvisibility=hidden -fopenmp -ffp-contract=off $(DEFINES) \
    $(CPPFLAGS) $(CFLAGS) $(call pkg_config,--cflags $(PACKAGES))
ALL_LDFLAGS := -fopenmp $(SANITIZE) $(LDFLAGS)

SIMD_OBJECTS = $(LEVELS:%=$(BUILD)/$(1)/simd_%.o) $(AMX:%=$(BUILD)/$(1)/simd_%.o)
objects      = $(patsubst %.c,$(BUILD)/$(2)/%.o,$(1))
LIBRARY_SOURCES := $(filter-out %/backend_cuda.c %/backend_without_cuda.c,$(wildcard core/*/*.c core/ops/*/*.c \
    core/ops/*/*/*.c models/*.c models/*/*.c))
PROGRAM_SOURCES := $(filter-out train/main.c,$(wildcard autograd/*.c data/*/*.c train/*.c train/*/*.c bench/*.c bench/*/*.c))
SOURCE_FOLDERS  := core autograd models data train bench test

all: program $(LIBRARY).a $(LIBRARY).so ## program and libraries (the default)
	@$(PROGRAM) --backends
program: $(PROGRAM) ## the program only: build/efficientad

include core/team/team.mk train/ranks/ranks.mk train/serve/serve.mk train/receivers/receivers.mk train/camera/camera.mk core/simd/simd.mk core/cuda/cuda.mk
LIBRARY_OBJECTS := $(call objects,$(LIBRARY_SOURCES),float) $(call SIMD_OBJECTS,float) $(BACKEND_OBJECTS)
PROGRAM_OBJECTS := $(call objects,$(PROGRAM_SOURCES),float)
MAIN_OBJECT     := $(call objects,train/main.c,float)
# What the inference library needs, and what the program needs besides.
LIBRARY_LIBS    := $(call pkg_config,--libs jansson) $(CUDA_LIBS) -lpthread -ldl -lm
LIBS            := $(call pkg_config,--libs $(PACKAGES)) $(LIBRARY_LIBS) $(MPI_LIBS) $(HTTP_LIBS) $(RECEIVER_LIBS) $(CAMERA_LIBS)
$(call stamp,$(BUILD)/version,$(VERSION))
$(call stamp,$(BUILD)/flags,$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS))

$(PROGRAM): $(MAIN_OBJECT) $(PROGRAM_OBJECTS) $(LIBRARY_OBJECTS) $(CUDA_CHOICE) | $(BUILD)/include_arrows
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(CC) $(TEAM_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)

$(LIBRARY).a: $(LIBRARY_OBJECTS) $(CUDA_CHOICE)
	@rm -f $@ && ar rcs $@ $(filter %.o,$^)

$(LIBRARY).so: $(LIBRARY_OBJECTS) $(TEAM_OBJECTS) $(CUDA_CHOICE) models/efficientad.map
	@echo "  LINK $@"
	@$(CC) $(TEAM_LDFLAGS) -shared -Wl,-soname,libefficientad.so.$(firstword $(subst ., ,$(RELEASE))) \
	    -Wl,--version-script=models/efficientad.map -Wl,-z,nodelete -o $@ $(filter %.o,$^) $(LIBRARY_LIBS)

$(BUILD)/float/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/float/train/support/version.o: ALL_CFLAGS += -DEAD_VERSION='"$(VERSION)"'
$(BUILD)/float/train/support/version.o: $(BUILD)/version

include train/report/report.mk train/page/page.mk test/test.mk test/torture/torture.mk test/portable.mk test/aarch64.mk models/python/wheel.mk models/csharp/csharp.mk test/cuda_host/host.mk test/fuzz/fuzz.mk install.mk models/debian/debian.mk
-include $(shell find $(BUILD) build/cuda_host build/fuzz/objects -name '*.d' 2>/dev/null)
endif
endif

deps: ## installs what build and tests need, and says first what; WITH="fuzz checks" more
	@CC='$(CC)' MPI='$(MPI)' ARAVIS='$(ARAVIS)' sh test/packages.sh install $(WITH) $(filter fuzz,$(GOALS))

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1 |\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-24s%s\n", $$1, $$2 }'

clean: ## removes build/
	rm -rf build
.PHONY: all program deps help clean
.SECONDARY:

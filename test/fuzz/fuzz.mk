# Fuzz targets link what they call out of one archive of the parsers and what these need, all instrumented by clang.
FUZZERS := $(patsubst test/fuzz/%.c,build/fuzz/%,$(wildcard test/fuzz/fuzz_*.c))
FUZZED_FOLDERS := core/base core/system core/file core/image data/codec data/dataset data/source data/torch train/config \
    train/metrics train/sweep train/support
FUZZED  := $(wildcard $(FUZZED_FOLDERS:%=%/*.c)) $(addprefix train/export/,onnx_read.c onnx_write.c) $(addprefix train/serve/,exchange.c inference.c routes.c) train/page/decisions.c \
    $(addprefix train/journal/,journal.c journal_reader.c watch_result_parts.c)
FUZZ_SECONDS ?= 60
FUZZ_CFLAGS := -O1 -g -std=c11 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -DEAD_VERSION='"fuzz"' \
    $(DEFINES) $(CPPFLAGS) $(call pkg_config,--cflags $(PACKAGES))
build/fuzz/objects/%.o: %.c
	@mkdir -p $(@D)
	@clang $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<
build/fuzz/parsers.a: $(FUZZED:%.c=build/fuzz/objects/%.o)
	@rm -f $@ && ar rcs $@ $^
build/fuzz/fuzz_%: build/fuzz/objects/test/fuzz/fuzz_%.o build/fuzz/parsers.a
	@echo "  LINK $@"
	@clang -fopenmp -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)
fuzzers: $(FUZZERS)
fuzz: fuzzers ## runs every fuzz target for FUZZ_SECONDS=60 each (needs clang)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) sh test/run_fuzz.sh $(FUZZERS)
.PHONY: fuzzers fuzz

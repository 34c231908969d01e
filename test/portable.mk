# A folder that runs wherever it is put: programs look for their libraries beside themselves. (The older kind of
# rpath, because it holds for what the libraries need, too.) PORTABLE_CUBLAS=0 leaves out the 600 MB of cuBLAS, which
# only fp32 on CUDA needs.
PORTABLE        := build/portable
PORTABLE_CUBLAS ?= 1
PORTABLE_LINK    = @mkdir -p $(@D); echo "  LINK $@"; $(CC) $(TEAM_LDFLAGS) -Wl,-s -Wl,--disable-new-dtags -Wl,-rpath,'$$ORIGIN/../lib' \
    -o $@ $(filter %.o %.a,$^)
$(PORTABLE)/bin/efficientad: $(MAIN_OBJECT) $(PROGRAM_OBJECTS) $(LIBRARY_OBJECTS) $(CUDA_CHOICE)
	$(PORTABLE_LINK) $(LIBS)

$(PORTABLE)/test/test_%: $$(call test_object,float,test_$$*) $(ARCHIVE)
	$(PORTABLE_LINK) $(CHECK_LIBS) $(LIBS)

portable: $(PORTABLE)/bin/efficientad $(if $(HAVE_CUDA),$(PORTABLE)/test/test_cuda $(PORTABLE)/test/test_cuda_conv) ## build/portable: the program and the libraries it needs
	@sh test/portable.sh collect $(PORTABLE) "$(if $(HAVE_CUDA),$(if $(filter 0,$(PORTABLE_CUBLAS)),,$(CUDA_HOME)/lib64))"
	@sh test/portable.sh check $(PORTABLE)
	@du -sh $(PORTABLE)

# Without the tests, for people.
PORTABLE_ARCHIVE := build/efficientad-$(RELEASE)-$(shell uname -m).tar.gz
portable-archive: portable ## the same as one file, without the tests
	@tar --exclude=test --transform 's|^$(PORTABLE)|efficientad-$(RELEASE)|' -czf $(PORTABLE_ARCHIVE) $(PORTABLE)
	@du -h $(PORTABLE_ARCHIVE)
.PHONY: portable portable-archive

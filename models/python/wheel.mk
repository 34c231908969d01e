# The Python wheel: library, program and what they need, put together by a script without further tools. Libraries look for
# others beside themselves. CUDA=0 makes it small.
WHEEL := $(BUILD)/wheel
WHEEL_LINK = $(CC) $(TEAM_LDFLAGS) -shared -Wl,--disable-new-dtags -Wl,-rpath,'$$ORIGIN' -Wl,-z,nodelete -Wl,--gc-sections
$(WHEEL)/libefficientad.so: $(LIBRARY_OBJECTS) $(TEAM_OBJECTS) $(CUDA_CHOICE) models/efficientad.map
	@mkdir -p $(@D)
	@$(WHEEL_LINK) -Wl,--version-script=models/efficientad.map -o $@ $(filter %.o,$^) $(LIBRARY_LIBS)

# Image files, as predict reads them; out of the archive comes what that needs.
$(WHEEL)/everything.a: $(PROGRAM_OBJECTS) $(LIBRARY_OBJECTS) $(CUDA_CHOICE)
	@mkdir -p $(@D)
	@rm -f $@ && ar rcsT $@ $(filter %.o,$^)
$(WHEEL)/libefficientad_files.so: $(BUILD)/float/models/python/native/image_file.o $(WHEEL)/everything.a models/python/native/image_file.map
	@$(WHEEL_LINK) -Wl,--version-script=models/python/native/image_file.map -Wl,--as-needed -o $@ $(filter %.o %.a,$^) $(LIBS)

# The program without what serves and tells others: the libraries for that are larger than all the rest.
WITHOUT       := $(wildcard train/*/*_without.c)
WHEEL_SOURCES := $(filter-out $(WITHOUT:%_without.c=%_microhttpd.c) $(WITHOUT:%_without.c=%_receiver.c) $(WITHOUT:%_without.c=%_aravis.c),$(PROGRAM_SOURCES)) $(WITHOUT)
$(WHEEL)/bin/efficientad: $(MAIN_OBJECT) $(call objects,$(sort $(WHEEL_SOURCES)),float) $(LIBRARY_OBJECTS) $(CUDA_CHOICE)
	$(PORTABLE_LINK) -Wl,--as-needed $(LIBS)

wheel: $(WHEEL)/bin/efficientad $(WHEEL)/libefficientad.so $(WHEEL)/libefficientad_files.so ## build/wheel/*.whl: the Python package
	@rm -rf build/wheel
	@python3 models/python/make_wheel.py $(RELEASE) $^ build/wheel
.PHONY: wheel

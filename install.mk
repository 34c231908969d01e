# Installing, and the source package. A distribution sets PREFIX=/usr, LIBDIR=/usr/lib/$(dpkg-architecture
# -qDEB_HOST_MULTIARCH) or the like, and DESTDIR.
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
SHARED  := libefficientad.so
SONAME  := $(SHARED).$(firstword $(subst ., ,$(RELEASE)))
TO       = $(DESTDIR)$(PREFIX)
TO_LIB   = $(DESTDIR)$(LIBDIR)
TO_CMAKE = $(TO_LIB)/cmake/efficientad
INCLUDE_FROM_LIB = $(shell realpath -m --relative-to=$(LIBDIR) $(PREFIX)/include)
CMAKE_FILES = $(OUT)/efficientad-config.cmake $(OUT)/efficientad-config-version.cmake
COMPLETIONS = $(TO)/share/bash-completion/completions

# The manual page and the completion are the program's own.
$(OUT)/efficientad.1: $(PROGRAM)
	@$(PROGRAM) --help-man >$@.tmp && mv $@.tmp $@
$(OUT)/completion.bash: $(PROGRAM)
	@$(PROGRAM) --completion bash >$@.tmp && mv $@.tmp $@

$(OUT)/efficientad.pc: models/efficientad.pc.in $(BUILD)/flags $(CUDA_CHOICE) VERSION FORCE
	@sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|; s|@VERSION@|$(RELEASE)|; s|@OPENMP@|$(OPENMP)|; s| @CUDA_LIBS@|$(CUDA_LIBS:%= %)|' $< >$@
$(OUT)/%.cmake: models/%.cmake.in VERSION FORCE
	@sed 's|@SHARED@|$(SHARED)|; s|@SONAME@|$(SONAME)|; s|@VERSION@|$(RELEASE)|; s|@INCLUDE@|$(INCLUDE_FROM_LIB)|' $< >$@
FORCE:

install: all $(OUT)/efficientad.1 $(OUT)/completion.bash $(OUT)/efficientad.pc $(CMAKE_FILES) ## PREFIX=/usr/local LIBDIR=PREFIX/lib DESTDIR=
	install -d $(TO)/bin $(TO)/include $(TO)/share/efficientad/configs/paper $(TO)/share/man/man1 $(TO)/share/doc/efficientad $(COMPLETIONS) $(TO_LIB)/pkgconfig $(TO_CMAKE) $(TO)/share/doc/efficientad/examples
	install -m 755 $(PROGRAM) $(TO)/bin/
	install -m 644 $(LIBRARY).a $(TO_LIB)/
	install -m 755 $(LIBRARY).so $(TO_LIB)/$(SHARED).$(RELEASE)
	ln -sf $(SHARED).$(RELEASE) $(TO_LIB)/$(SONAME)
	ln -sf $(SONAME) $(TO_LIB)/$(SHARED)
	install -m 644 models/efficientad.h models/efficientad.hpp $(TO)/include/
	install -m 644 models/weights/*.safetensors $(TO)/share/efficientad/
	install -m 644 configs/*.* $(TO)/share/efficientad/configs/
	install -m 644 configs/paper/* $(TO)/share/efficientad/configs/paper/
	install -m 644 README.md LICENSE NOTICE docs/*.md $(TO)/share/doc/efficientad/
	install -m 644 examples/* models/csharp/EfficientAD.cs $(TO)/share/doc/efficientad/examples/
	install -d $(TO)/lib/systemd/system
	for unit in efficientad efficientad-watch; do \
	    sed 's|/usr/local|$(PREFIX)|' examples/$$unit.service >$(TO)/lib/systemd/system/$$unit.service; done
	install -m 644 $(OUT)/efficientad.pc $(TO_LIB)/pkgconfig/
	install -m 644 $(CMAKE_FILES) $(TO_CMAKE)/
	install -m 644 $(OUT)/efficientad.1 $(TO)/share/man/man1/
	install -m 644 $(OUT)/completion.bash $(COMPLETIONS)/efficientad

uninstall: ## removes what install put there
	rm -f $(TO)/bin/efficientad $(TO_LIB)/libefficientad.a $(TO_LIB)/$(SHARED)* $(TO)/include/efficientad.h $(TO)/include/efficientad.hpp
	rm -f $(TO_LIB)/pkgconfig/efficientad.pc $(TO)/share/man/man1/efficientad.1 $(COMPLETIONS)/efficientad $(TO)/lib/systemd/system/efficientad*.service
	rm -rf $(TO)/share/efficientad $(TO)/share/doc/efficientad $(TO_CMAKE)

# Of what is committed; without git, of what lies here.
PACKAGE := efficientad-$(RELEASE)
dist: ## build/efficientad-VERSION.tar.gz: the sources
	@mkdir -p build
	@if [ -e .git ]; then git archive --prefix=$(PACKAGE)/ HEAD | gzip -9n; \
	else tar --exclude=./build --exclude=./runs --transform 's|^\.|$(PACKAGE)|' -czf - .; fi >build/$(PACKAGE).tar.gz
	@echo build/$(PACKAGE).tar.gz
.PHONY: install uninstall dist FORCE

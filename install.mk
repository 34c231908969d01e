# Installing, and the source package. A distribution sets PREFIX=/usr, LIBDIR=/usr/lib/$(dpkg-architecture
# -qDEB_HOST_MULTIARCH) or the like, and DESTDIR.
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
SHARED  := libefficientad.so
SONAME  := $(SHARED).$(firstword $(subst ., ,$(RELEASE)))
TO       = $(DESTDIR)$(PREFIX)
TO_LIB   = $(DESTDIR)$(LIBDIR)
TO_CMAKE = $(TO_LIB)/cmake/efficientad
INCLUDE_FROM_LIB = $(shell realpath -m --relative-to="$(LIBDIR)" "$(PREFIX)/include")
CMAKE_FILES = $(OUT)/efficientad-config.cmake $(OUT)/efficientad-config-version.cmake
COMPLETIONS = $(TO)/share/bash-completion/completions
TO_UNITS = $(TO)/lib/systemd/system
UNITS   := efficientad.service efficientad-watch.service

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

# Folders below PREFIX and the files of the source tree that go there as they are; uninstall removes those, not the folders' others.
DOC     := share/doc/efficientad
FOLDERS_FILLED := include share/efficientad share/efficientad/configs share/efficientad/configs/paper share/efficientad/configs/smoke \
    $(DOC) $(DOC)/examples
FILES_include                         := models/efficientad.h models/efficientad.hpp
FILES_share/efficientad               := $(wildcard models/weights/*.safetensors)
FILES_share/efficientad/configs       := $(wildcard configs/*.*)
FILES_share/efficientad/configs/paper := $(wildcard configs/paper/*)
FILES_share/efficientad/configs/smoke := $(wildcard configs/smoke/*)
FILES_$(DOC)          := README.md LICENSE NOTICE $(wildcard docs/*.md)
FILES_$(DOC)/examples := $(wildcard examples/*) models/csharp/EfficientAD.cs
define NEWLINE


endef

install: all $(OUT)/efficientad.1 $(OUT)/completion.bash $(OUT)/efficientad.pc $(CMAKE_FILES) ## PREFIX=/usr/local LIBDIR=PREFIX/lib DESTDIR=
	install -d "$(TO)/bin" "$(TO)/share/man/man1" "$(COMPLETIONS)" "$(TO_LIB)/pkgconfig" "$(TO_CMAKE)" "$(TO_UNITS)" $(FOLDERS_FILLED:%="$(TO)/%")
	install -m 755 $(PROGRAM) "$(TO)/bin/"
	install -m 644 $(LIBRARY).a "$(TO_LIB)/"
	install -m 755 $(LIBRARY).so "$(TO_LIB)/$(SHARED).$(RELEASE)"
	ln -sf $(SHARED).$(RELEASE) "$(TO_LIB)/$(SONAME)"
	ln -sf $(SONAME) "$(TO_LIB)/$(SHARED)"
	$(foreach folder,$(FOLDERS_FILLED),install -m 644 $(FILES_$(folder)) "$(TO)/$(folder)/"$(NEWLINE)	)
	for unit in $(UNITS); do sed 's|/usr/local|$(PREFIX)|' examples/$$unit >"$(TO_UNITS)/$$unit"; done
	install -m 644 $(OUT)/efficientad.pc "$(TO_LIB)/pkgconfig/"
	install -m 644 $(CMAKE_FILES) "$(TO_CMAKE)/"
	install -m 644 $(OUT)/efficientad.1 "$(TO)/share/man/man1/"
	install -m 644 $(OUT)/completion.bash "$(COMPLETIONS)/efficientad"

# A link to another version's library stays; so does a folder that is not empty then.
uninstall: ## removes what install put there
	rm -f "$(TO)/bin/efficientad" "$(TO_LIB)/libefficientad.a" "$(TO_LIB)/$(SHARED).$(RELEASE)"
	for link in $(SONAME) $(SHARED); do test -e "$(TO_LIB)/$$link" || rm -f "$(TO_LIB)/$$link"; done
	rm -f "$(TO_LIB)/pkgconfig/efficientad.pc" "$(TO)/share/man/man1/efficientad.1" "$(COMPLETIONS)/efficientad" $(UNITS:%="$(TO_UNITS)/%")
	rm -f $(patsubst %,"$(TO_CMAKE)/%",$(notdir $(CMAKE_FILES)))
	$(foreach folder,$(FOLDERS_FILLED),rm -f $(patsubst %,"$(TO)/$(folder)/%",$(notdir $(FILES_$(folder))))$(NEWLINE)	)
	for folder in $(DOC)/examples $(DOC) share/efficientad/configs/paper share/efficientad/configs/smoke share/efficientad/configs \
	    share/efficientad; do \
	    rmdir "$(TO)/$$folder" 2>/dev/null || :; done
	rmdir "$(TO_CMAKE)" 2>/dev/null || :

# Of what is committed; without git, of what lies here.
PACKAGE := efficientad-$(RELEASE)
dist: ## build/efficientad-VERSION.tar.gz: the sources
	@mkdir -p build
	@if [ -e .git ]; then git archive --prefix=$(PACKAGE)/ HEAD | gzip -9n; \
	else tar --exclude=./build --exclude=./runs --transform 's|^\.|$(PACKAGE)|' -czf - .; fi >build/$(PACKAGE).tar.gz
	@echo build/$(PACKAGE).tar.gz
.PHONY: install uninstall dist FORCE

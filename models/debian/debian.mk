# Debian packages of what is committed, by debhelper, in a copy of the sources: models/debian/ is its debian/. DEBFULLNAME and
# DEBEMAIL are the maintainer's. Times are the commit's, or SOURCE_DATE_EPOCH. -d: this Makefile looks for packages itself.
DEB        := build/deb
DEB_TREE   := $(DEB)/$(PACKAGE)
MAINTAINER := $(or $(DEBFULLNAME),the authors of efficientad) <$(or $(DEBEMAIL),efficientad@localhost)>
DEB_TIME    = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y VERSION))
deb: dist ## build/deb/*.deb: library, its development files, program, data
	@command -v dh >/dev/null || { echo 'make deb needs debhelper; make deps WITH=packages installs it' >&2; exit 1; }
	@rm -rf $(DEB) && mkdir -p $(DEB) && tar -C $(DEB) -xzf build/$(PACKAGE).tar.gz && cp -r $(DEB_TREE)/models/debian $(DEB_TREE)/debian
	@sed -i 's/@MAINTAINER@/$(MAINTAINER)/' $(DEB_TREE)/debian/control
	@printf 'efficientad ($(RELEASE)) unstable; urgency=medium\n\n  * Version $(RELEASE).\n\n -- $(MAINTAINER)  %s\n' \
	    "$$(date -u -R -d @$(DEB_TIME))" >$(DEB_TREE)/debian/changelog
	@cd $(DEB_TREE) && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS CUDA='$(CUDA)' DEB_BUILD_OPTIONS='noautodbgsym $(DEB_BUILD_OPTIONS)' dpkg-buildpackage -d -b -us -uc
	@rm -rf $(DEB_TREE) && ls -l $(DEB)/*.deb

# Whichever builder is here, or BUILDER="buildah --storage-driver vfs".
BUILDER ?= $(firstword $(foreach builder,podman buildah docker,$(shell command -v $(builder))) podman)
container: dist ## efficientad:VERSION, an image with the program, by podman, buildah or docker
	@rm -rf build/container && mkdir -p build/container && cp build/$(PACKAGE).tar.gz build/container
	$(BUILDER) build -t efficientad:$(RELEASE) $(BUILDER_FLAGS) -f models/debian/Containerfile build/container
.PHONY: deb container

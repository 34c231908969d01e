# `efficientad serve` answers by libmicrohttpd (with GnuTLS, which comes with it), where that is installed; SERVE=0 leaves it out. One object file knows it; without it
# the command says what is missing.
SERVE ?= 1
HAVE_HTTP := $(if $(filter 0,$(SERVE)),,$(if $(call pkg_config,--libs libmicrohttpd gnutls),microhttpd))
HTTP_LIBS := $(if $(HAVE_HTTP),$(call pkg_config,--libs libmicrohttpd gnutls))
PROGRAM_SOURCES := $(filter-out train/serve/http_$(if $(HAVE_HTTP),without,microhttpd).c,$(PROGRAM_SOURCES))

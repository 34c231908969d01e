# Whom `efficientad watch` tells: brokers by libmosquitto, webhooks by libcurl, tables by SQLite, each where that is installed; MQTT=0,
# WEBHOOK=0, SQLITE=0 leave it out. One object file knows each; without it the option says what is missing.
MQTT    ?= 1
WEBHOOK ?= 1
SQLITE  ?= 1
has       = $(if $(filter 0,$(1)),,$(call pkg_config,--libs $(2)))
MQTT_LIBS    := $(call has,$(MQTT),libmosquitto)
WEBHOOK_LIBS := $(call has,$(WEBHOOK),libcurl)
SQLITE_LIBS  := $(call has,$(SQLITE),sqlite3)
RECEIVER_LIBS   := $(MQTT_LIBS) $(WEBHOOK_LIBS) $(SQLITE_LIBS)
PROGRAM_SOURCES := $(filter-out $(addprefix train/receivers/,$(if $(MQTT_LIBS),mqtt_without.c,mqtt_receiver.c) \
    $(if $(WEBHOOK_LIBS),webhook_without.c,webhook_receiver.c) $(if $(SQLITE_LIBS),table_without.c,table_receiver.c)),$(PROGRAM_SOURCES))

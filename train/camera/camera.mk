# `make ARAVIS=1`: cameras (GenICam over GigE Vision and USB3 Vision) for `efficientad watch`, by Aravis (libaravis-dev). One object file
# knows it; the rest is the same either way.
ARAVIS ?= 0
ARAVIS_MODULE := $(if $(filter 0,$(ARAVIS)),,aravis-0.8)
CAMERA := $(if $(ARAVIS_MODULE),aravis,without)
PROGRAM_SOURCES := $(filter-out $(filter-out %/camera_$(CAMERA).c,$(addprefix train/camera/camera_,aravis.c without.c)),$(PROGRAM_SOURCES))
CAMERA_LIBS := $(if $(ARAVIS_MODULE),$(call pkg_config,--libs $(ARAVIS_MODULE)))

# Without it the tests make a program with it of their own, where Aravis is installed.
ARAVIS_TESTED := $(or $(ARAVIS_MODULE),$(if $(call pkg_config,--libs aravis-0.8),aravis-0.8))
CAMERA_ARAVIS := $(BUILD)/float/train/camera/camera_aravis.o
GIGE_CAMERA   := $(BUILD)/float/test/watch/gige_camera.o
$(CAMERA_ARAVIS) $(GIGE_CAMERA): ALL_CFLAGS += $(patsubst -I%,-isystem %,$(call pkg_config,--cflags $(ARAVIS_TESTED)))

# GCC's OpenMP constructs run on a runtime of our own in the program and in the shared library, which so need no libgomp; another
# compiler's run on its own. The static library runs on that of the program that it is linked into.
TEAM_SOURCES    := $(filter-out $(if $(CLANG),,%/team_without.c),$(if $(CLANG),$(addprefix core/team/team_,without.c record.c),$(wildcard core/team/*.c)))
PROGRAM_SOURCES += $(TEAM_SOURCES)
LIBRARY_SOURCES := $(filter-out core/team/%,$(LIBRARY_SOURCES))
TEAM_OBJECTS     = $(if $(CLANG),,$(call objects,$(TEAM_SOURCES),float))
TEAM_LDFLAGS    := $(if $(CLANG),$(ALL_LDFLAGS),$(filter-out -fopenmp,$(ALL_LDFLAGS)))

# The program holds GCC's OpenMP itself, where there is such an archive, so that it can say how threads wait (train/main.c).
OPENMP_ARCHIVE  := $(if $(CLANG)$(SANITIZE),,$(if $(BUILDING),$(filter /%,$(shell $(CC) -print-file-name=libgomp.a))))
PROGRAM_LDFLAGS := $(if $(OPENMP_ARCHIVE),$(filter-out -fopenmp,$(ALL_LDFLAGS)),$(ALL_LDFLAGS))

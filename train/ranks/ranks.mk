# `make MPI=1`: training in several processes, started by mpirun or srun. MPI=1 is Open MPI as Debian has it (libopenmpi-dev),
# any other value the name of another MPI's pkg-config file. One object file knows MPI; the rest is the same either way.
MPI ?= 0
MPI_MODULE := $(if $(filter 0,$(MPI)),,$(if $(filter 1,$(MPI)),ompi-c,$(MPI)))
RANKS := $(if $(MPI_MODULE),mpi,alone)
PROGRAM_SOURCES := $(filter-out $(filter-out %/ranks_$(RANKS).c,$(wildcard train/ranks/ranks_*.c)),$(PROGRAM_SOURCES))
MPI_LIBS := $(if $(MPI_MODULE),$(call pkg_config,--libs $(MPI_MODULE)))

# Without MPI the tests make a program with it of their own, where Open MPI is installed.
MPI_TESTED := $(or $(MPI_MODULE),$(if $(call pkg_config,--libs ompi-c),ompi-c))
RANKS_MPI  := $(BUILD)/float/train/ranks/ranks_mpi.o
$(RANKS_MPI): ALL_CFLAGS += $(patsubst -I%,-isystem %,$(call pkg_config,--cflags $(MPI_TESTED)))

/* The cure for an OpenBLAS that takes this CPU for a lesser one. */
#ifndef EAD_TRAIN_OPENBLAS_RESTART_H
#define EAD_TRAIN_OPENBLAS_RESTART_H

/* If OpenBLAS chose kernels far below what the CPU can do (core/base/blas.h: ead_blas_better_core()), sets
 * OPENBLAS_CORETYPE and starts this program anew with the same arguments; does not return then. Debian 12's
 * OpenBLAS runs some Xeons six times slower than it could.
 *
 * OpenBLAS reads the variable while it is being loaded, before main(), so a new process is the only way in.
 * A variable that is already set is the user's choice and stays; that also rules out a second restart. Where
 * the restart is impossible (no /proc), goes on with what there is: slower, but right. Call it first thing in
 * main(), before threads start and before anything is read from the standard input. */
void ead_restart_for_openblas(char **argv);

#endif

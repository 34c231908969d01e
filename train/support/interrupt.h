/* Ctrl-C and SIGTERM: a request to stop at the next good moment. */
#ifndef EAD_TRAIN_INTERRUPT_H
#define EAD_TRAIN_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGINT and SIGTERM only set a flag; the second SIGINT kills as usual, for those in a hurry;
 * a second SIGTERM changes nothing. */
void ead_interrupt_catch(void);

/* Whether one has arrived. */
bool ead_interrupted(void);

#endif

/* Lists of messages. */
#include "train/support/problems.h"

#include "core/base/printing.h"

enum { TOLD = 20 };

void ead_problems_add(EadProblems *problems, EadStatus status) {
    if (status == EAD_OK) return;
    if (problems->status == EAD_OK || status == EAD_NO_MEMORY) problems->status = status;
    bool kept = ead_strings_add_once(&problems->lines, ead_error_message()) == EAD_OK;
    if (!kept) problems->status = EAD_NO_MEMORY;
    if (kept && status == EAD_NO_MEMORY && problems->no_memory == 0)
        problems->no_memory = problems->lines.count;
}

void ead_problems_add_all(EadProblems *problems, const EadProblems *others) {
    for (int i = 0; i < others->lines.count; i++)
        ead_problems_add(problems, ead_fail(others->status, "%s", others->lines.items[i]));
}

EadStatus ead_problems_since(const EadProblems *problems, int known) {
    if (problems->status == EAD_NO_MEMORY)
        return ead_fail(EAD_NO_MEMORY, "%s",
                        problems->no_memory > 0 ? problems->lines.items[problems->no_memory - 1]
                                                : "no memory for messages");
    if (problems->lines.count <= known) return EAD_OK;
    return ead_fail(problems->status, "%s", problems->lines.items[known]);
}

EadStatus ead_problems_tell(const EadProblems *problems, FILE *stream) {
    int count = problems->lines.count;
    if (count < 2) return ead_problems_since(problems, 0);
    for (int i = 0; i < count && i < TOLD; i++)
        ead_print(stream, "efficientad: %s\n", problems->lines.items[i]);
    if (count > TOLD)
        return ead_fail(problems->status, "%d mistakes, %d of them above; " EAD_NOTHING_STARTED, count, TOLD);
    return ead_fail(problems->status, "%d mistakes; " EAD_NOTHING_STARTED, count);
}

void ead_problems_free(EadProblems *problems) {
    ead_strings_free(&problems->lines);
    *problems = (EadProblems){0};
}

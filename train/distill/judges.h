/* Judges of a teacher: nearest neighbours (PatchCore) on its features on data sets that distill.judges lists, beside
 * the same on the features that it learned from. What a teacher loses of its backbone shows there within minutes. */
#pragma once

#include "train/fit.h"
#include "train/support/json_writer.h"

enum { EAD_JUDGES_MOST = 16 };

typedef struct EadJudgement {
    EadPath name; /* of the data set */
    double auroc,
        pro; /* image AU-ROC and AU-PRO (false-positive rate up to 0.30), in [0, 1]; NAN: not defined */
    double backbone_auroc, backbone_pro;
} EadJudgement;

typedef struct EadJudgements {
    int count;
    EadJudgement of[EAD_JUDGES_MOST];
} EadJudgements;

/* Adds what is wrong with the judges to config->problems. */
void ead_judges_check(EadConfig *config);

/* Runs PatchCore in folders below OUTPUT/judges, those of the teacher under the number of its steps; one that is done
 * there is not run again. Errors: those of ead_fit_run(), after the judge's name. */
EadStatus ead_judges_run(const EadRunSpec *spec, const char *teacher, int64_t steps,
                         EadJudgements *judgements);

/* One line a judge, and the array "judges" of metrics.json. */
void ead_judges_print(FILE *stream, const EadJudgements *judgements);
void ead_judges_write(EadJson *json, const EadJudgements *judgements);

/* A table of names. */
#include "data/dataset/folder_names.h"

#include "core/base/paths.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Names in small letters, their words joined by _, without numbers and without the words of `fillers`. */
static const struct {
    EadFolderMeaning meaning;
    const char *names;
} rows[] = {
    {EAD_FOLDER_GOOD,
     "good goods ok okay normal normals pass passed healthy flawless clean intact undamaged perfect nominal "
     "reference "
     "golden correct defect_free defectfree non_defective nondefective no_defect no_defects without_defect "
     "without_defects anomaly_free non_anomalous no_anomaly accept accepted conforming io i_o gut gutteile "
     "fehlerfrei bon bons conforme buono buoni bueno buenos 良品 合格 合格品 "
     "正常"},
    {EAD_FOLDER_BAD,
     "bad bads ko nok ng def defs incorrect defect defects defective defected anomaly anomalies anomalous "
     "abnormal "
     "fail failed "
     "failure faulty fault faults reject rejects rejected damaged flawed unhealthy dirty nonconforming nio "
     "n_i_o n_ok "
     "schlecht schlechtteile ausschuss fehler fehlerhaft defekt mauvais mauvaise non_conforme defaut defauts "
     "difettoso difetti defecto defectos 不良 不良品 不合格 "
     "不合格品 异常 異常 缺陷"},
    {EAD_FOLDER_TRAIN, "train training trainset trainingsdaten"},
    {EAD_FOLDER_VALIDATION, "validation valid val"},
    {EAD_FOLDER_TEST, "test testing testset testdaten"},
    {EAD_FOLDER_MASKS, "ground_truth groundtruth gt mask masks maske masken label labels annotation "
                       "annotations seg segmentation "
                       "segmentations segmentationclass"},
    {EAD_FOLDER_EITHER, "0 1 positive negative positives negatives pos neg yes no true false"},
};

static const char fillers[] =
    "image images img imgs picture pictures pic pics photo photos rgb frame frames part parts sample samples "
    "item "
    "items piece pieces product products set data dataset folder class bilder teile";
/* Words that mean it whatever stands beside them: "ok_front", "Cam1 good". */
static const char surely_good[] = "good ok okay io gut";
static const char negations[] = "not no non un without";

/* Whether text, of `length` bytes, is one of the names. */
static bool is_among(const char *names, const char *text, size_t length) {
    while (*names) {
        size_t size = strcspn(names, " ");
        if (size == length && memcmp(names, text, size) == 0) return true;
        names += size + strspn(names + size, " ");
    }
    return false;
}

static const char *names_of(EadFolderMeaning meaning) {
    size_t i = 0;
    while (rows[i].meaning != meaning) i++;
    return rows[i].names;
}

/* What the words of a name say. */
typedef struct Words {
    char joined[128];   /* what is left of them */
    char numbered[128]; /* the same with numbers */
    bool negated, good, surely_good, bad, other, filler;
} Words;

static void append(char text[128], const char *word, size_t length) {
    size_t used = strlen(text);
    snprintf(text + used, 128 - used, "%s%.*s", used ? "_" : "", (int)length, word);
}

static void add_word(Words *words, const char *word, size_t length) {
    if (!is_among(fillers, word, length)) append(words->numbered, word, length);
    while (length > 0 && isdigit((unsigned char)*word)) word++, length--;
    while (length > 0 && isdigit((unsigned char)word[length - 1])) length--;
    bool filler = is_among(fillers, word, length);
    words->filler |= filler;
    if (length == 0 || filler) return;
    bool good = is_among(names_of(EAD_FOLDER_GOOD), word, length);
    words->negated |= is_among(negations, word, length);
    words->good |= good;
    words->surely_good |= is_among(surely_good, word, length);
    words->other |= !good;
    words->bad |= is_among(names_of(EAD_FOLDER_BAD), word, length);
    append(words->joined, word, length);
}

EadFolderMeaning ead_folder_meaning(const char *name) {
    static const char between[] = " _-.,()[]'\"";
    char plain[128];
    Words words = {0};
    size_t length = 0;
    for (; name[length] && length < sizeof plain - 1; length++)
        plain[length] = (char)tolower((unsigned char)name[length]);
    plain[length] = '\0';
    for (const char *word = plain + strspn(plain, between); *word; word += strspn(word, between)) {
        add_word(&words, word, strcspn(word, between));
        word += strcspn(word, between);
    }
    if (is_among(names_of(EAD_FOLDER_EITHER), words.numbered, strlen(words.numbered)))
        return EAD_FOLDER_EITHER;
    if (!*words.joined) return words.filler ? EAD_FOLDER_IMAGES : EAD_FOLDER_NUMBER;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (is_among(rows[i].names, words.joined, strlen(words.joined))) return rows[i].meaning;
    if (words.negated && words.bad && !words.good) return EAD_FOLDER_GOOD; /* "no_defects_found" */
    if (!words.other || (words.surely_good && !words.bad && !words.negated)) return EAD_FOLDER_GOOD;
    return words.bad || (words.negated && words.good) ? EAD_FOLDER_BAD : EAD_FOLDER_OTHER;
}

EadFolderMeaning ead_folder_next(const char *path, const char **next) {
    EadPath name;
    const char *slash = strchr(path, '/');
    *next = slash ? slash + 1 : NULL;
    if (!slash) return EAD_FOLDER_OTHER;
    snprintf(name, sizeof name, "%.*s", (int)(slash - path), path);
    return ead_folder_meaning(name);
}

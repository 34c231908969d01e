/* "Did you mean": the nearest known name to a mistyped one. */
#ifndef EAD_TRAIN_SUGGEST_H
#define EAD_TRAIN_SUGGEST_H

/* The number of single-byte insertions, removals and replacements between two names (Levenshtein distance).
 * Names longer than 63 bytes count as infinitely far (INT_MAX). */
int ead_edit_distance(const char *a, const char *b);

/* The search for a nearest name; start with {0}, .name is NULL as long as nothing is near enough. */
typedef struct EadSuggestion {
    const char *name;
    int distance;
} EadSuggestion;

/* Offers a candidate, compared by its spelling `as` (which may be a part of the name). Near enough is a third
 * of the typed name's length, at least 2. */
void ead_suggestion_offer(EadSuggestion *suggestion, const char *typed, const char *as, const char *name);

#endif

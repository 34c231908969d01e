/* Edit distance and the nearest name. */
#include "train/support/suggest.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

enum { LONGEST = 63 };

static int least(int a, int b, int c) {
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

int ead_edit_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST) return INT_MAX;
    int row[LONGEST + 1];
    for (size_t j = 0; j <= m; j++) row[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[m];
}

void ead_suggestion_offer(EadSuggestion *suggestion, const char *typed, const char *as, const char *name) {
    int distance = ead_edit_distance(typed, as);
    int limit = (int)(strlen(typed) / 3 < 2 ? 2 : strlen(typed) / 3);
    bool nearer = !suggestion->name || distance < suggestion->distance;
    if (distance > limit || !nearer) return;
    *suggestion = (EadSuggestion){name, distance};
}

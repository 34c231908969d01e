/* The search for the last line that begins as main() begins its errors. */
#include "train/sweep/sweep_log.h"

#include "core/base/paths.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const char beginning[] = "efficientad: ";

static void describe_end(int status, char *text, size_t size) {
    if (WIFSIGNALED(status))
        snprintf(text, size, "ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == 0)
        snprintf(text, size, "ended without metrics; has the data set test images?");
    else
        snprintf(text, size, "ended with exit code %d", WEXITSTATUS(status));
}

static void find_line(FILE *log, char *text, size_t size) {
    char line[1200];
    size_t skip = sizeof beginning - 1;
    while (fgets(line, sizeof line, log)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, beginning, skip) == 0) snprintf(text, size, "%s", line + skip);
    }
}

void ead_sweep_log_reason(const EadSweep *sweep, const EadSweepRun *run, off_t start, int status, char *text,
                          size_t size) {
    describe_end(status, text, size);
    char *folder = ead_sweep_folder(sweep, run), *path = folder ? ead_path_join(folder, "log.txt") : NULL;
    FILE *log = path ? fopen(path, "r") : NULL;
    if (log && fseeko(log, start, SEEK_SET) == 0) find_line(log, text, size);
    if (log) fclose(log);
    free(folder);
    free(path);
}

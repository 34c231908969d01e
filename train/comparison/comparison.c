/* Common images, their ranks and their order; the JSON that compare.js draws. */
#include "train/comparison/comparison.h"

#include "core/base/atomic_file.h"
#include "core/base/memory.h"
#include "core/base/string_list.h"
#include "train/report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NAMED = 20, DIGITS = 9, ROWS_END = EAD_PAGE_BYTES - 200000 /* scripts follow */ };

/* An image of one run. */
typedef struct JudgedImage {
    const char *name;
    const json_t *image;
    double score, rank; /* rank in [0,1] among the common images, ties in their middle */
    bool anomalous, decided;
} JudgedImage;

/* An image that all runs have. */
typedef struct CommonImage {
    const JudgedImage **entries; /* [runs] */
    double difference;           /* of the ranks */
    bool disagreed;
} CommonImage;

typedef struct RunTable {
    const EadRunPage *runs;
    int run_count;
    JudgedImage **entries; /* [runs][counts], by name */
    int *counts;
    CommonImage *rows; /* [row_count] */
    const JudgedImage **cells;
    int row_count;
    int disagreed, lone;
} RunTable;

static int by_name(const void *left, const void *right) {
    return strcmp(((const JudgedImage *)left)->name, ((const JudgedImage *)right)->name);
}

static int by_score(const void *left, const void *right) {
    double a = (*(JudgedImage *const *)left)->score, b = (*(JudgedImage *const *)right)->score;
    return (a > b) - (a < b);
}

static int by_difference(const void *left, const void *right) {
    const CommonImage *a = left, *b = right;
    if (a->disagreed != b->disagreed) return b->disagreed - a->disagreed;
    if (a->difference != b->difference) return a->difference < b->difference ? 1 : -1;
    return strcmp(a->entries[0]->name, b->entries[0]->name);
}

/* ---- the images ---- */

/* The threshold of a run's model; false: it has none. */
static bool threshold_of(const EadRunPage *run, double *threshold) {
    const json_t *value = json_object_get(run->data, "threshold");
    *threshold = json_is_number(value) ? json_number_value(value) : (double)NAN;
    return json_is_true(json_object_get(run->data, "has_threshold")) && !isnan(*threshold);
}

static EadStatus list_entries(RunTable *table, int r) {
    const EadRunPage *run = &table->runs[r];
    int count = (int)json_array_size(run->images);
    double threshold;
    bool decided = threshold_of(run, &threshold);
    table->entries[r] = ead_new(count, sizeof(JudgedImage), "the images of runs");
    if (!table->entries[r]) return EAD_NO_MEMORY;
    table->counts[r] = count;
    for (int i = 0; i < count; i++) {
        const json_t *image = json_array_get(run->images, (size_t)i);
        double score = json_number_value(json_object_get(image, "score"));
        table->entries[r][i] = (JudgedImage){.name = ead_run_page_image(run, image),
                                             .image = image,
                                             .score = score,
                                             .decided = decided,
                                             .anomalous = decided && score >= threshold};
    }
    qsort(table->entries[r], (size_t)count, sizeof(JudgedImage), by_name);
    return EAD_OK;
}

static JudgedImage *find(const RunTable *table, int r, const char *name) {
    const JudgedImage key = {.name = name};
    return bsearch(&key, table->entries[r], (size_t)table->counts[r], sizeof key, by_name);
}

static bool in_all(const RunTable *table, const char *name) {
    for (int r = 0; r < table->run_count; r++)
        if (!find(table, r, name)) return false;
    return true;
}

static EadStatus list_rows(RunTable *table) {
    int runs = table->run_count;
    table->rows = ead_new(table->counts[0], sizeof *table->rows, "the images of runs");
    table->cells = ead_new((int64_t)table->counts[0] * runs, sizeof *table->cells, "the images of runs");
    if (!table->rows || !table->cells) return EAD_NO_MEMORY;
    for (int i = 0; i < table->counts[0]; i++) {
        const char *name = table->entries[0][i].name;
        if (!in_all(table, name)) continue;
        CommonImage *row = &table->rows[table->row_count];
        row->entries = table->cells + (ptrdiff_t)table->row_count++ * runs;
        for (int r = 0; r < runs; r++) row->entries[r] = find(table, r, name);
    }
    for (int r = 0; r < runs; r++) table->lone += table->counts[r] - table->row_count;
    if (table->row_count > 0) return EAD_OK;
    return ead_fail(
        EAD_BAD_ARGUMENT,
        "%s and %s have no image in common: their data sets differ, %s in the first and %s in the "
        "second; name runs on the same data set",
        table->runs[0].folder, table->runs[1].folder, table->entries[0][0].name, table->entries[1][0].name);
}

/* ---- ranks ---- */

static EadStatus rank(RunTable *table, int r) {
    int count = table->row_count;
    JudgedImage **sorted = ead_new(count, sizeof *sorted, "ranks");
    if (!sorted) return EAD_NO_MEMORY;
    for (int i = 0; i < count; i++) sorted[i] = find(table, r, table->rows[i].entries[0]->name);
    qsort(sorted, (size_t)count, sizeof *sorted, by_score);
    for (int first = 0, end; first < count; first = end) {
        for (end = first; end < count && sorted[end]->score == sorted[first]->score;) end++;
        for (int i = first; i < end; i++)
            sorted[i]->rank = count > 1 ? 0.5 * (first + end - 1) / (count - 1) : 0;
    }
    free(sorted);
    return EAD_OK;
}

static EadStatus order_rows(RunTable *table) {
    for (int r = 0; r < table->run_count; r++) EAD_TRY(rank(table, r));
    for (int i = 0; i < table->row_count; i++) {
        CommonImage *row = &table->rows[i];
        double low = 1, high = 0;
        bool good = false, anomalous = false;
        for (int r = 0; r < table->run_count; r++) {
            const JudgedImage *entry = row->entries[r];
            low = fmin(low, entry->rank);
            high = fmax(high, entry->rank);
            good = good || (entry->decided && !entry->anomalous);
            anomalous = anomalous || (entry->decided && entry->anomalous);
        }
        row->disagreed = good && anomalous;
        row->difference = high - low;
        table->disagreed += row->disagreed;
    }
    qsort(table->rows, (size_t)table->row_count, sizeof *table->rows, by_difference);
    return EAD_OK;
}

/* ---- the page ---- */

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static void copy_number(EadJson *json, const char *key, const json_t *value) {
    ead_json_number(json, key, json_is_number(value) ? json_number_value(value) : (double)NAN, DIGITS);
}

static void write_run(EadJson *json, const EadRunPage *run) {
    const json_t *gallery = json_object_get(run->data, "gallery"), *ramp = json_object_get(gallery, "ramp");
    double threshold;
    bool has = threshold_of(run, &threshold);
    ead_json_open(json, NULL, '{');
    ead_json_string(json, "name", run->folder);
    ead_json_string(json, "subtitle", text_of(run->data, "subtitle"));
    ead_json_number(json, "threshold", has ? threshold : (double)NAN, DIGITS);
    copy_number(json, "low", json_object_get(gallery, "low"));
    copy_number(json, "high", json_object_get(gallery, "high"));
    ead_json_open(json, "ramp", '[');
    for (size_t i = 0; i < json_array_size(ramp); i++)
        ead_json_string(json, NULL, json_string_value(json_array_get(ramp, i)));
    ead_json_close(json, ']');
    ead_json_close(json, '}');
}

/* A title and the value of each run, for what any of them has measured. */
static void write_metrics(EadJson *json, const RunTable *table) {
    const json_t *columns = json_object_get(table->runs[0].data, "columns");
    ead_json_open(json, "metrics", '[');
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *column = json_array_get(columns, i);
        const char *key = text_of(column, "key");
        bool known = false;
        for (int r = 0; r < table->run_count && key; r++)
            known = known ||
                    json_is_number(json_object_get(json_object_get(table->runs[r].data, "metrics"), key));
        if (!known) continue;
        ead_json_open(json, NULL, '[');
        ead_json_string(json, NULL, text_of(column, "title"));
        for (int r = 0; r < table->run_count; r++)
            copy_number(json, NULL, json_object_get(json_object_get(table->runs[r].data, "metrics"), key));
        ead_json_close(json, ']');
    }
    ead_json_close(json, ']');
}

/* A key, where the runs that are known and read it do not agree. */
static EadStatus write_setting(EadJson *json, const RunTable *table, int key, char **texts) {
    const char *first = NULL;
    bool differs = false;
    for (int r = 0; r < table->run_count; r++) {
        if (!table->runs[r].configured || !ead_config_reads(&table->runs[r].config, key)) continue;
        EAD_TRY(ead_config_value_text(&table->runs[r].config, (EadConfigKeyId)key, &texts[r]));
        differs = differs || (first && strcmp(first, texts[r]) != 0);
        if (!first) first = texts[r];
    }
    if (!differs) return EAD_OK;
    ead_json_open(json, NULL, '[');
    ead_json_string(json, NULL, ead_config_key(key)->rule.name);
    for (int r = 0; r < table->run_count; r++)
        ead_json_string(json, NULL, texts[r] ? texts[r] : table->runs[r].configured ? "" : "?");
    ead_json_close(json, ']');
    return EAD_OK;
}

static EadStatus write_settings(EadJson *json, const RunTable *table) {
    EadStatus status = EAD_OK;
    char **texts = ead_new(table->run_count, sizeof *texts, "settings");
    if (!texts) return EAD_NO_MEMORY;
    ead_json_open(json, "settings", '[');
    for (int key = 0; key < EAD_CONFIG_KEYS && status == EAD_OK; key++) {
        if (ead_config_matters(key)) status = write_setting(json, table, key, texts);
        for (int r = 0; r < table->run_count; r++) {
            free(texts[r]);
            texts[r] = NULL;
        }
    }
    ead_json_close(json, ']');
    free(texts);
    return status;
}

/* Of each run what not all have: the number, and the first names. */
static void write_lone(EadJson *json, const RunTable *table) {
    ead_json_open(json, "lone", '[');
    for (int r = 0; r < table->run_count; r++) {
        int named = 0;
        ead_json_open(json, NULL, '{');
        ead_json_integer(json, "count", table->counts[r] - table->row_count);
        ead_json_open(json, "names", '[');
        for (int i = 0; i < table->counts[r] && named < MOST_NAMED; i++) {
            if (in_all(table, table->entries[r][i].name)) continue;
            ead_json_string(json, NULL, table->entries[r][i].name);
            named++;
        }
        ead_json_close(json, ']');
        ead_json_close(json, '}');
    }
    ead_json_close(json, ']');
}

/* Bytes of the picture of the image and of the maps; 0 where a report had no room for one. */
static long picture_bytes(const RunTable *table, const CommonImage *row) {
    const char *image = text_of(row->entries[0]->image, "image");
    long bytes = image ? (long)strlen(image) : 0;
    for (int r = 0; r < table->run_count && bytes > 0; r++) {
        const char *map = text_of(row->entries[r]->image, "map");
        bytes = map ? bytes + (long)strlen(map) : 0;
    }
    return bytes;
}

static void write_row(EadJson *json, const RunTable *table, const CommonImage *row, bool pictured) {
    const json_t *first = row->entries[0]->image;
    ead_json_open(json, NULL, '{');
    ead_json_string(json, "name", row->entries[0]->name);
    ead_json_string(json, "defect", text_of(first, "defect"));
    ead_json_flag(json, "anomalous", json_is_true(json_object_get(first, "anomalous")));
    ead_json_flag(json, "disagreed", row->disagreed);
    if (pictured) ead_json_string(json, "image", text_of(first, "image"));
    ead_json_open(json, "runs", '[');
    for (int r = 0; r < table->run_count; r++) {
        const JudgedImage *entry = row->entries[r];
        ead_json_open(json, NULL, '{');
        ead_json_number(json, "score", entry->score, DIGITS);
        ead_json_number(json, "rank", entry->rank, 5);
        if (entry->decided) ead_json_flag(json, "decision", entry->anomalous);
        if (pictured) ead_json_string(json, "map", text_of(entry->image, "map"));
        ead_json_close(json, '}');
    }
    ead_json_close(json, ']');
    ead_json_close(json, '}');
}

static EadStatus write_page(FILE *stream, const RunTable *table, int *pictured) {
    EadJson json;
    int row = 0;
    ead_page_begin(&json, stream);
    ead_json_string(&json, "kind", "comparison");
    ead_json_string(&json, "title", "Runs side by side");
    ead_json_open(&json, "runs", '[');
    for (int r = 0; r < table->run_count; r++) write_run(&json, &table->runs[r]);
    ead_json_close(&json, ']');
    write_metrics(&json, table);
    EadStatus status = write_settings(&json, table);
    write_lone(&json, table);
    ead_json_integer(&json, "disagreed", table->disagreed);
    ead_json_open(&json, "images", '[');
    for (; row < table->row_count && ftell(stream) < ROWS_END; row++) {
        long bytes = picture_bytes(table, &table->rows[row]);
        bool fits = bytes > 0 && ftell(stream) + bytes <= EAD_GALLERY_BUDGET;
        write_row(&json, table, &table->rows[row], fits);
        *pictured += fits;
    }
    ead_json_close(&json, ']');
    ead_json_integer(&json, "dropped", table->row_count - row);
    ead_page_end(&json);
    return status;
}

static EadStatus compare(RunTable *table) {
    table->entries = ead_new(table->run_count, sizeof *table->entries, "the images of runs");
    table->counts = ead_new(table->run_count, sizeof *table->counts, "the images of runs");
    if (!table->entries || !table->counts) return EAD_NO_MEMORY;
    for (int r = 0; r < table->run_count; r++) EAD_TRY(list_entries(table, r));
    EAD_TRY(list_rows(table));
    return order_rows(table);
}

EadStatus ead_comparison_write(const char *path, const EadRunPage *runs, int count,
                               EadComparison *comparison) {
    RunTable table = {.runs = runs, .run_count = count};
    EadAtomicFile file = {0};
    *comparison = (EadComparison){0};
    EadStatus status = compare(&table);
    if (status == EAD_OK) status = ead_atomic_file_open(&file, path);
    if (status == EAD_OK) status = write_page(file.stream, &table, &comparison->pictured);
    if (status == EAD_OK) status = ead_atomic_file_commit(&file);
    ead_atomic_file_discard(&file);
    comparison->images = table.row_count;
    comparison->disagreed = table.disagreed;
    for (int r = 0; r < count; r++) comparison->deciding += threshold_of(&runs[r], &(double){0});
    comparison->lone = table.lone;
    for (int r = 0; table.entries && r < count; r++) free(table.entries[r]);
    free(table.entries);
    free(table.counts);
    free(table.rows);
    free(table.cells);
    return status;
}

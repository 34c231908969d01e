/* A table of SQLite: a row for each line, many in one transaction. It knows itself what it has, so that no line is in it twice. */
#include "train/receivers/receivers.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/file/output_check.h"
#include "train/journal/watch_result.h"

#include <sqlite3.h>
#include <stdlib.h>

enum { VERSION = 1, BUSY_MS = 5000 };

typedef struct ResultTable {
    const char *path; /* borrowed */
    sqlite3 *database;
    sqlite3_stmt *insert;
} ResultTable;

static EadStatus fail(const ResultTable *table) {
    return ead_fail(EAD_IO, "--sqlite: %s: %s", table->path, sqlite3_errmsg(table->database));
}

static EadStatus execute(const ResultTable *table, const char *text) {
    return sqlite3_exec(table->database, text, NULL, NULL, NULL) == SQLITE_OK ? EAD_OK : fail(table);
}

/* The number that a query gives. */
static EadStatus ask(const ResultTable *table, const char *query, int64_t *number) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(table->database, query, -1, &statement, NULL) != SQLITE_OK) return fail(table);
    EadStatus status = sqlite3_step(statement) == SQLITE_ROW ? EAD_OK : fail(table);
    if (status == EAD_OK) *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return status;
}

static void bind_text(sqlite3_stmt *statement, int place, const json_t *value) {
    if (json_is_string(value))
        sqlite3_bind_text(statement, place, json_string_value(value), -1, SQLITE_TRANSIENT);
}

static void bind_number(sqlite3_stmt *statement, int place, const json_t *value) {
    if (json_is_number(value)) sqlite3_bind_double(statement, place, json_number_value(value));
}

static EadStatus insert(const ResultTable *table, const EadJournalLine *line) {
    static const char *const texts[] = {"time", "source", "path", "moved", "model", "error"};
    json_t *root;
    sqlite3_stmt *row = table->insert;
    int place = 1;
    EAD_TRY(ead_watch_result_read(line->text, line->size, &root));
    sqlite3_reset(row);
    sqlite3_clear_bindings(row);
    sqlite3_bind_int64(row, place++, (sqlite3_int64)line->sequence);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        bind_text(row, place++, json_object_get(root, texts[i]));
    bind_number(row, place++, json_object_get(root, "score"));
    bind_number(row, place++, json_object_get(root, "threshold"));
    const json_t *anomalous = json_object_get(root, "anomalous");
    if (anomalous) sqlite3_bind_int(row, place, json_is_true(anomalous));
    sqlite3_bind_text(row, place + 1, line->text, (int)line->size, SQLITE_TRANSIENT);
    json_decref(root);
    return sqlite3_step(row) == SQLITE_DONE ? EAD_OK : fail(table);
}

static EadStatus tell_table(void *state, const EadJournalLine *lines, int count, int *told) {
    const ResultTable *table = state;
    EAD_TRY(execute(table, "BEGIN IMMEDIATE"));
    EadStatus status = EAD_OK;
    for (int i = 0; i < count && status == EAD_OK; i++) status = insert(table, &lines[i]);
    sqlite3_reset(table->insert);
    if (status == EAD_OK) status = execute(table, "COMMIT");
    if (status == EAD_OK) *told = count;
    EadFailure failure;
    ead_failure_keep(&failure, status);
    if (status != EAD_OK) sqlite3_exec(table->database, "ROLLBACK", NULL, NULL, NULL);
    return ead_failure_tell(&failure);
}

static void close_table(void *state) {
    ResultTable *table = state;
    sqlite3_finalize(table->insert);
    sqlite3_close(table->database);
    free(table);
}

/* Makes the table where there is none; one that another program made is left alone. */
static EadStatus prepare(ResultTable *table, uint64_t *sent) {
    int64_t version = 0, tables = 0, last = 0;
    sqlite3_busy_timeout(table->database, BUSY_MS);
    EAD_TRY(ask(table, "PRAGMA user_version", &version));
    EAD_TRY(ask(table, "SELECT count(*) FROM sqlite_master", &tables));
    if (version != VERSION && tables > 0)
        return ead_fail(EAD_BAD_ARGUMENT, "--sqlite: %s: holds tables of another program; name another file",
                        table->path);
    EAD_TRY(execute(
        table, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; BEGIN IMMEDIATE;"
               "CREATE TABLE IF NOT EXISTS results (sequence INTEGER PRIMARY KEY, time TEXT, source TEXT, "
               "path TEXT, moved TEXT, model TEXT, error TEXT, score REAL, threshold REAL, "
               "anomalous INTEGER, line TEXT);"
               "CREATE INDEX IF NOT EXISTS results_time ON results (time);"
               "PRAGMA user_version=1; COMMIT"));
    EAD_TRY(ask(table, "SELECT coalesce(max(sequence), 0) FROM results", &last));
    *sent = (uint64_t)last;
    const char *text = "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    return sqlite3_prepare_v2(table->database, text, -1, &table->insert, NULL) == SQLITE_OK ? EAD_OK
                                                                                            : fail(table);
}

static EadStatus open_table(void *state, uint64_t *sent) {
    ResultTable *table = state;
    EadPath folder;
    EAD_TRY(ead_path_folder(folder, table->path));
    EAD_TRY(ead_make_directories(folder));
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    if (sqlite3_open_v2(table->path, &table->database, flags, NULL) != SQLITE_OK) return fail(table);
    return prepare(table, sent);
}

EadStatus ead_receiver_table(const EadReceiverOptions *options, EadReceiver *out) {
    EAD_TRY(ead_check_output_file(options->table, "--sqlite"));
    EAD_TRY(ead_check_regular(options->table));
    ResultTable *table = ead_new(1, sizeof *table, "a table");
    if (!table) return EAD_NO_MEMORY;
    table->path = options->table;
    *out = (EadReceiver){
        .name = "sqlite", .state = table, .last = open_table, .tell = tell_table, .close = close_table};
    return EAD_OK;
}

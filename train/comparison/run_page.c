/* The data of a page lies between two lines of its template. */
#include "train/comparison/run_page.h"

#include "core/base/file_bytes.h"
#include "core/base/paths.h"
#include "core/file/json_text.h"
#include "train/support/page_kind.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 256 << 20 };

static EadStatus refuse(const EadRunPage *page, const char *why) {
    return ead_fail(EAD_BAD_FILE, "%s: %s; efficientad eval --model MODEL --output %s makes it", page->path,
                    why, page->folder);
}

/* Finds the JSON in the page. */
static EadStatus parse_data(EadRunPage *page, const char *text) {
    static const char begins[] = "id=\"data\">", ends[] = "</script>"; /* whatever ends its lines */
    const char *start = strstr(text, begins), *end = start ? strstr(start, ends) : NULL;
    json_error_t error;
    if (!end) return refuse(page, "is not a report of this program");
    start += strlen(begins);
    EadStatus status = ead_json_parse(page->path, start, (size_t)(end - start), 0, &page->data, &error);
    return status == EAD_BAD_FILE ? refuse(page, "is damaged") : status;
}

static bool is_image(const json_t *image) {
    return json_is_string(json_object_get(image, "path")) && json_is_number(json_object_get(image, "score"));
}

static EadStatus check_data(EadRunPage *page) {
    const char *kind = json_string_value(json_object_get(page->data, "kind"));
    size_t index;
    json_t *image;
    if (kind && strcmp(kind, EAD_TRAINING_PAGE_KIND) == 0)
        return ead_fail(EAD_BAD_FILE,
                        "%s: the training has not ended; wait for it, or go on with --resume --output %s",
                        page->path, page->folder);
    if (!kind || strcmp(kind, "run") != 0) return refuse(page, "is not the report of a run");
    page->images = json_object_get(json_object_get(page->data, "gallery"), "images");
    json_array_foreach(page->images, index, image) if (!is_image(image)) return refuse(page, "is damaged");
    return json_array_size(page->images) > 0 ? EAD_OK : refuse(page, "shows no images");
}

/* One of another version is no error: its settings are not shown. */
static EadStatus read_config(EadRunPage *page) {
    const char *text = json_string_value(json_object_get(page->data, "config"));
    EAD_TRY(ead_config_defaults(&page->config));
    EadStatus status = text ? ead_config_parse(text, strlen(text), page->path, &page->config) : EAD_BAD_FILE;
    page->configured = status == EAD_OK;
    return status == EAD_NO_MEMORY ? status : EAD_OK;
}

EadStatus ead_run_page_read(const char *folder, EadRunPage *page) {
    char *text;
    size_t size;
    *page = (EadRunPage){.folder = folder};
    EAD_TRY(ead_path_in(page->path, folder, "report.html"));
    EAD_TRY(ead_read_file(page->path, MOST_BYTES, &text, &size));
    EadStatus status = parse_data(page, text);
    free(text);
    if (status == EAD_OK) status = check_data(page);
    return status == EAD_OK ? read_config(page) : status;
}

/* dataset.path of what was measured without a model, and so without a config. */
static const char *measured_data(const EadRunPage *page) {
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(page->data, "provenance"), index, row) {
        const char *name = json_string_value(json_array_get(row, 0));
        const char *value = json_string_value(json_array_get(row, 1));
        if (name && value && strcmp(name, "data") == 0) return value;
    }
    return "";
}

const char *ead_run_page_image(const EadRunPage *page, const json_t *image) {
    const char *path = json_string_value(json_object_get(image, "path"));
    const char *data = page->configured ? page->config.dataset_path : measured_data(page);
    size_t length = ead_path_prefix(data);
    size_t bare = strlen(data);
    bool below = bare > 0 && strncmp(path, data, bare) == 0 && (length == bare || path[bare] == '/');
    return below ? path + length : path;
}

void ead_run_page_free(EadRunPage *page) {
    json_decref(page->data);
    ead_config_free(&page->config);
    *page = (EadRunPage){.folder = NULL};
}

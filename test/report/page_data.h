/* The data in a page of ours, for tests to look at. */
#pragma once

#include "test/support/scratch.h"

#include <jansson.h>

static inline int count_of(const char *text, const char *part) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++) count++;
    return count;
}

/* The data in a page. Also: the page is whole, and nothing in it can end the data early or load anything. */
static inline json_t *data_of(const char *path) {
    static const char start[] = "<script type=\"application/json\" id=\"data\">\n", end[] = "\n</script>\n";
    char *text = read_text(path), *data = strstr(text, start);
    json_error_t error;
    ck_assert_ptr_nonnull(data);
    data += strlen(start);
    char *after = strstr(data, end);
    ck_assert_ptr_nonnull(after);
    ck_assert_ptr_null(memchr(data, '<', (size_t)(after - data)));
    ck_assert_int_eq(count_of(text, "<script"), 2);
    ck_assert_int_eq(count_of(text, "</script"), 2);
    ck_assert(strncmp(text, "<!DOCTYPE html>", 15) == 0 && strcmp(text + strlen(text) - 8, "</html>\n") == 0);
    assert_contains(text, "prefers-color-scheme: dark");
    static const char *const banned[] = {"://", "<link", "@import", "@css@", "@js@", "@data@", "innerHTML"};
    for (size_t i = 0; i < sizeof banned / sizeof *banned; i++)
        ck_assert_msg(!strstr(text, banned[i]), "\"%s\" must not be in the page", banned[i]);
    json_t *root = json_loadb(data, (size_t)(after - data), 0, &error);
    ck_assert_msg(root != NULL, "%d: %s", error.line, error.text);
    free(text);
    return root;
}

/* "gallery.images.0.path": members by name, items by number. */
static inline const json_t *at(const json_t *root, const char *path) {
    const json_t *value = root;
    for (char name[64]; *path && value; path += *path == '.') {
        size_t length = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)length, path);
        path += length;
        value = json_is_array(value) ? json_array_get(value, strtoul(name, NULL, 10))
                                     : json_object_get(value, name);
    }
    return value;
}

#define ASSERT_TEXT(root, path, text)   ck_assert_pstr_eq(json_string_value(at(root, path)), text)
#define ASSERT_VALUE(root, path, value) ck_assert_double_eq(json_number_value(at(root, path)), value)

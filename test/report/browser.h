/* Chromium without a window, by the DevTools protocol over two pipes: opens a page, presses keys, evaluates scripts in
 * it, and keeps the first message that it wrote on its console. */
#pragma once

#include "test/support/scratch.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

typedef struct Browser {
    pid_t process;
    int to, from; /* JSON texts, each with a zero byte behind it */
    int calls;
    char session[80], message[1000]; /* message: the first one on the console; "": none */
    char loaded[80];                 /* the document that was loaded last, as Chromium calls it */
    char *bytes;                     /* received, not yet read */
    size_t size, capacity;
} Browser;

static inline bool browser_is_there(void) {
    return system("command -v chromium >/dev/null 2>&1") == 0;
}

/* The next text: an answer or an event. */
static inline json_t *browser_receive(Browser *b) {
    char *end;
    while (!(end = b->size ? memchr(b->bytes, 0, b->size) : NULL)) {
        if (b->size + 65536 > b->capacity) {
            b->capacity = 2 * b->capacity + 65536;
            b->bytes = realloc(b->bytes, b->capacity);
            ck_assert_ptr_nonnull(b->bytes);
        }
        ssize_t got = read(b->from, b->bytes + b->size, b->capacity - b->size);
        ck_assert_msg(got > 0, "the browser has ended");
        b->size += (size_t)got;
    }
    json_t *text = json_loads(b->bytes, 0, NULL);
    ck_assert_ptr_nonnull(text);
    b->size -= (size_t)(end + 1 - b->bytes);
    memmove(b->bytes, end + 1, b->size);
    return text;
}

static inline void browser_take_event(Browser *b, json_t *event) {
    static const char *const spoken[] = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown",
                                         "Log.entryAdded"};
    const char *method = json_string_value(json_object_get(event, "method"));
    if (!method) return;
    json_t *params = json_object_get(event, "params");
    const char *stage = json_string_value(json_object_get(params, "name"));
    if (strcmp(method, "Page.lifecycleEvent") == 0 && stage && strcmp(stage, "load") == 0)
        snprintf(b->loaded, sizeof b->loaded, "%s", json_string_value(json_object_get(params, "loaderId")));
    for (int i = 0; i < 3 && !b->message[0]; i++) {
        if (strcmp(method, spoken[i]) != 0) continue;
        char *text = json_dumps(params, JSON_COMPACT);
        snprintf(b->message, sizeof b->message, "%s", text);
        free(text);
    }
}

/* Calls a method with these parameters, which it takes over, and gives the result. */
static inline json_t *browser_call(Browser *b, const char *method, json_t *params) {
    json_t *call = json_pack("{s:i, s:s, s:o}", "id", ++b->calls, "method", method, "params", params);
    if (b->session[0]) json_object_set_new(call, "sessionId", json_string(b->session));
    char *text = json_dumps(call, JSON_COMPACT);
    size_t length = strlen(text) + 1;
    for (size_t done = 0; done < length;) {
        ssize_t sent = write(b->to, text + done, length - done);
        ck_assert_int_gt(sent, 0);
        done += (size_t)sent;
    }
    free(text);
    json_decref(call);
    for (;;) {
        json_t *answer = browser_receive(b);
        if (json_integer_value(json_object_get(answer, "id")) == b->calls) {
            json_t *result = json_incref(json_object_get(answer, "result"));
            ck_assert_msg(result != NULL, "%s fails: %s", method,
                          json_string_value(json_object_get(json_object_get(answer, "error"), "message")));
            json_decref(answer);
            return result;
        }
        browser_take_event(b, answer);
        json_decref(answer);
    }
}

static inline void browser_do(Browser *b, const char *method, json_t *params) {
    json_decref(browser_call(b, method, params));
}

/* home: a folder for its files. */
static inline void browser_open(Browser *b, const char *home) {
    int to[2], from[2];
    *b = (Browser){0};
    ck_assert(pipe(to) == 0 && pipe(from) == 0);
    b->process = fork();
    ck_assert_int_ge(b->process, 0);
    if (b->process == 0) { /* it reads descriptor 3 and writes to 4 */
        int in = fcntl(to[0], F_DUPFD, 10), out = fcntl(from[1], F_DUPFD, 10),
            nowhere = open("/dev/null", O_RDWR);
        dup2(nowhere, 0), dup2(nowhere, 1), dup2(nowhere, 2);
        dup2(in, 3), dup2(out, 4);
        close(to[1]), close(from[0]);
        setenv("HOME", home, 1);
        execlp("chromium", "chromium", "--headless", "--no-sandbox", "--disable-gpu",
               "--remote-debugging-pipe", "about:blank", (char *)NULL);
        _exit(127);
    }
    close(to[0]), close(from[1]);
    b->to = to[1], b->from = from[0];
    json_t *target = browser_call(b, "Target.createTarget", json_pack("{s:s}", "url", "about:blank"));
    json_t *session =
        browser_call(b, "Target.attachToTarget",
                     json_pack("{s:O, s:b}", "targetId", json_object_get(target, "targetId"), "flatten", 1));
    snprintf(b->session, sizeof b->session, "%s", json_string_value(json_object_get(session, "sessionId")));
    json_decref(target);
    json_decref(session);
    browser_do(b, "Runtime.enable", json_object());
    browser_do(b, "Log.enable", json_object());
    browser_do(b, "Page.enable", json_object());
    browser_do(b, "Page.setLifecycleEventsEnabled", json_pack("{s:b}", "enabled", 1));
}

static inline void browser_close(Browser *b) {
    kill(b->process, SIGTERM);
    waitpid(b->process, NULL, 0);
    close(b->to), close(b->from);
    free(b->bytes);
}

/* The window's size, and whether the user prefers a dark page. */
static inline void browser_window(Browser *b, int width, int height, bool dark) {
    browser_do(b, "Emulation.setDeviceMetricsOverride",
               json_pack("{s:i, s:i, s:i, s:b}", "width", width, "height", height, "deviceScaleFactor", 1,
                         "mobile", 0));
    browser_do(b, "Emulation.setEmulatedMedia",
               json_pack("{s:[{s:s, s:s}]}", "features", "name", "prefers-color-scheme", "value",
                         dark ? "dark" : "light"));
}

/* What a script comes to; it may be a promise. */
static inline json_t *browser_value(Browser *b, const char *script) {
    json_t *result = browser_call(
        b, "Runtime.evaluate",
        json_pack("{s:s, s:b, s:b}", "expression", script, "returnByValue", 1, "awaitPromise", 1));
    json_t *thrown = json_object_get(result, "exceptionDetails");
    char *text = thrown ? json_dumps(thrown, JSON_COMPACT) : NULL;
    ck_assert_msg(!thrown, "%s: %s", script, text);
    json_t *value = json_incref(json_object_get(json_object_get(result, "result"), "value"));
    json_decref(result);
    return value;
}

static inline double browser_number(Browser *b, const char *script) {
    json_t *value = browser_value(b, script);
    double number = json_number_value(value);
    ck_assert_msg(json_is_number(value), "%s is no number", script);
    json_decref(value);
    return number;
}

/* The script comes to this text. */
static inline void browser_expect(Browser *b, const char *script, const char *text) {
    json_t *value = browser_value(b, script);
    const char *found = json_string_value(value);
    ck_assert_msg(found && strcmp(found, text) == 0, "%s is \"%s\", not \"%s\"", script,
                  found ? found : "no text", text);
    json_decref(value);
}

/* Until what is due is drawn. */
static inline void browser_settle(Browser *b) {
    json_decref(
        browser_value(b, "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"));
}

/* Goes to an address and waits until its document is loaded, not one before it. */
static inline void browser_load(Browser *b, const char *url) {
    json_t *result = browser_call(b, "Page.navigate", json_pack("{s:s}", "url", url));
    const char *document = json_string_value(json_object_get(result, "loaderId"));
    ck_assert_ptr_nonnull(document);
    while (strcmp(b->loaded, document) != 0) {
        json_t *event = browser_receive(b);
        browser_take_event(b, event);
        json_decref(event);
    }
    json_decref(result);
}

/* path: from the present folder, with %XX for what does not belong into an address; a #fragment may follow. */
static inline void browser_visit(Browser *b, const char *path) {
    char folder[2000], url[4000];
    ck_assert_ptr_nonnull(getcwd(folder, sizeof folder));
    snprintf(url, sizeof url, "file://%s/%s", folder, path);
    browser_load(b, "about:blank"); /* another fragment alone would load nothing */
    browser_load(b, url);
    browser_settle(b);
}

/* Presses and releases a key by its name and Windows' number for it. */
static inline void browser_press(Browser *b, const char *key, int number) {
    static const char *const halves[] = {"keyDown", "keyUp"};
    const char *text = strcmp(key, "Enter") == 0 ? "\r" : "";
    for (int i = 0; i < 2; i++)
        browser_do(b, "Input.dispatchKeyEvent",
                   json_pack("{s:s, s:s, s:s, s:i, s:s}", "type", halves[i], "key", key, "code", key,
                             "windowsVirtualKeyCode", number, "text", i == 0 ? text : ""));
    browser_settle(b);
}

/* Whether the page shows a text. */
#define IN_TEXT(text) "Number(document.querySelector('#page').innerText.includes('" text "'))"

/* Of all texts that are seen, the least contrast with what lies behind them; the texts of charts count, too. Also the
 * smallest letters, and the last word of a table that goes on in another line, but for long values beside their names. */
static const char browser_reading[] =
    "(() => {"
    "const parts = color => (color.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);"
    "const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + "
    "0.055) / 1.055) ** 2.4)"
    "  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);"
    "const behind = element => { for (let e = element; e; e = e.parentElement) {"
    "  const color = parts(getComputedStyle(e).backgroundColor); if (color.length < 4 || color[3] === 1) "
    "return color; }"
    "  return [255, 255, 255]; };"
    "let least = 99, which = '', letters = 99, broken = '';"
    "const tops = (node, word) => { const range = document.createRange(); range.setStart(node, word.index);"
    "  range.setEnd(node, word.index + word[0].length);"
    "  return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size; };"
    "const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);"
    "while (texts.nextNode()) {"
    "  const element = texts.currentNode.parentElement, style = getComputedStyle(element);"
    "  if (!texts.currentNode.data.trim() || /^(SCRIPT|STYLE|NOSCRIPT|title)$/.test(element.tagName)) "
    "continue;"
    "  if (!element.getClientRects().length) continue;"
    "  const inChart = element.namespaceURI.endsWith('svg'), svg = inChart && element.ownerSVGElement;"
    "  const [a, c] = [light(parts(inChart ? style.fill : style.color)), light(behind(element))].sort((x, y) "
    "=> y - x);"
    "  const ratio = (a + 0.05) / (c + 0.05);"
    "  if (ratio < least) { least = ratio; which = texts.currentNode.data; }"
    "  const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;"
    "  letters = Math.min(letters, scale * parseFloat(style.fontSize));"
    "  if (element.closest('table') && !element.closest('table.facts td'))"
    "    for (const word of texts.currentNode.data.matchAll(/[\\p{L}\\p{N}]+/gu))"
    "      if (tops(texts.currentNode, word) > 1) broken = word[0];"
    "}"
    "return {least, which, letters, broken}; })()";

static inline void assert_readable(Browser *b, int width, bool dark) {
    json_t *found = browser_value(b, browser_reading);
    double least = json_number_value(json_object_get(found, "least"));
    double letters = json_number_value(json_object_get(found, "letters"));
    ck_assert_msg(least >= 4.5 && least < 22, "\"%s\" has a contrast of %.2f (%d wide, %s)",
                  json_string_value(json_object_get(found, "which")), least, width, dark ? "dark" : "light");
    ck_assert_msg(letters >= 10 && letters < 99, "letters of %.1f pixels (%d wide)", letters, width);
    const char *broken = json_string_value(json_object_get(found, "broken"));
    ck_assert_msg(broken && !*broken, "\"%s\" is broken (%d wide)", broken, width);
    json_decref(found);
    ck_assert_double_le(browser_number(b, "document.documentElement.scrollWidth"), width);
}

/* A desk, a small desk, a phone. */
static const struct { int width, height; } browser_windows[] = {{1400, 900}, {1280, 720}, {390, 844}};
enum { WINDOWS = sizeof browser_windows / sizeof *browser_windows };

static inline void assert_readable_everywhere(Browser *b, const char *path) {
    for (int i = 0; i < 2 * WINDOWS; i++) {
        bool dark = i % 2;
        browser_window(b, browser_windows[i / 2].width, browser_windows[i / 2].height, dark);
        browser_visit(b, path);
        assert_readable(b, browser_windows[i / 2].width, dark);
        ck_assert_msg(!b->message[0], "console: %s", b->message);
    }
}

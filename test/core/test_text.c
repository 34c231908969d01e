/* Text files and lists as other programs write them, and text that is printed. */
#define S "build/scratch/test_text/"
#include "test/support/scratch.h"

#include "core/base/printing.h"
#include "core/base/text.h"

#include <math.h>
#include <stdio_ext.h>

typedef struct Bytes {
    const char *bytes;
    size_t size;
} Bytes;

#define BYTES(text)                                                                                          \
    { text, sizeof(text) - 1 }

/* ---- whole files ---- */

START_TEST(marks_and_line_ends_are_made_plain) {
    static const struct {
        Bytes file;
        const char *text;
    } cases[] = {
        {BYTES(""), ""},
        {BYTES("a\nb\n"), "a\nb\n"},
        {BYTES("\xEF\xBB\xBF"
               "a: 1\r\nb: 2\r\n"),
         "a: 1\nb: 2\n"},
        {BYTES("\xEF\xBB\xBF"), ""},
        {BYTES("a\rb\r\r\nc\n\r"), "a\nb\n\nc\n\n"},
        {BYTES("\r\n"), "\n"},
        {BYTES("a\xEF\xBB\xBF"), "a\xEF\xBB\xBF"}, /* a mark is one at the beginning */
        {BYTES("\xEF\xBB\xBF\xEF\xBB\xBFx"), "\xEF\xBB\xBFx"},
        {BYTES("gr\xC3\xBCn"), "gr\xC3\xBCn"},
        {BYTES("a\r\nb\r\n\x1A"), "a\nb\n"}, /* DOS ends a text so */
        {BYTES("\x1A"), ""},
        {BYTES("\x1A\n"), "\x1A\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text;
        size_t size;
        write_bytes(S "file", cases[i].file.bytes, cases[i].file.size);
        ASSERT_OK(ead_read_text(S "file", 100, &text, &size));
        ck_assert_str_eq(text, cases[i].text);
        ck_assert_uint_eq(size, strlen(text));
        free(text);
    }
}
END_TEST

/* As python3's "...".encode() makes them. */
START_TEST(wide_text_is_named) {
    static const struct {
        Bytes file;
        const char *message;
    } cases[] = {
        {BYTES("\xFF\xFE"
               "a\0:\0 \0"
               "1\0"),
         "is UTF-16 text; save it as UTF-8"},
        {BYTES("\xFE\xFF\0a\0:\0 \0"
               "1"),
         "is UTF-16 text"},
        {BYTES("a\0:\0 \0"
               "1\0\r\0\n\0"),
         "is UTF-16 text"},
        {BYTES("\0a\0:\0 \0"
               "1"),
         "is UTF-16 text"},
        {BYTES("\xFF\xFE\0\0a\0\0\0"), "is UTF-32 text; save it as UTF-8, or: iconv -f UTF-32 -t UTF-8"},
        {BYTES("\0\0\xFE\xFF\0\0\0a"), "is UTF-32 text; save it as UTF-8, or: iconv -f UTF-32 -t UTF-8"},
        {BYTES("\xFF\xFE"), "is UTF-16 text"},
        {BYTES("\x7F"
               "ELF\2\1\1\0\0\0\0\0"),
         "holds zero bytes, so it is not a text file"},
        {BYTES("BM\x36\x30\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"
               "@\0\0\0@\0\0\0\1\0\x18\0"),
         "holds zero bytes"},
        {BYTES("a: 1, b: 2\0 c"), "holds zero bytes, so it is not a text file"},
        {BYTES("\0\0\0\0\0\0\0\0\0\0\0\0"), "holds zero bytes, so it is not a text file"},
        {BYTES("ab\0\0cd\0\0ef\0\0"), "holds zero bytes, so it is not a text file"},
        {BYTES("\xFE\x56:\0 \0\x18\4\n\0"), "iconv -f UTF-16LE "},
        {BYTES("\x56\xFE\0:\0 \4\x18\0\n"), "iconv -f UTF-16BE "},
        {BYTES("\xFE\x56:\0 \0\x18\xDC"), "holds zero bytes"}, /* half a character */
        {BYTES("a\0\0\0b\0\0\0"), "iconv -f UTF-32LE "},
        {BYTES("\0\0\0a\0\0\0b"), "iconv -f UTF-32BE "},
        {BYTES("a\0b\0"), "iconv -f UTF-16LE "},
        {BYTES("\0a\0b"), "iconv -f UTF-16BE "},
        {BYTES("\x2D\x4E\0\0a\0\0\0\x00\xF6\x01\0"), "is UTF-32 text"}, /* \u4E2D, a, \U0001F600 */
        {BYTES("\0\0\x4E\x2D\0\0\0\n"), "is UTF-32 text"},
        {BYTES("a\0\0\0b\0\0\0c"), "holds zero bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text;
        size_t size;
        write_bytes(S "file", cases[i].file.bytes, cases[i].file.size);
        ASSERT_FAILS(ead_read_text(S "file", 100, &text, &size), EAD_BAD_FILE, cases[i].message);
        ck_assert_ptr_eq(strstr(ead_error_message(), S "file: "), ead_error_message());
        ck_assert_ptr_null(text);
    }
}
END_TEST

/* ---- lists ---- */

typedef struct ListCase {
    Bytes list;
    bool zeros;
    const char *names; /* with a | behind each */
    const char *message;
} ListCase;

static const ListCase list_cases[] = {
    {BYTES(""), false, "", NULL},
    {BYTES("one.png\ntwo.png"), false, "one.png|two.png|", NULL},
    {BYTES("\xEF\xBB\xBFone.png\r\n\r\ntwo.png\r\n"), false, "one.png|two.png|", NULL},
    {BYTES("one.png\rtwo.png\r"), false, "one.png|two.png|", NULL},
    {BYTES("\xEF\xBB\xBF"), false, "", NULL},
    {BYTES("\n\n\n"), false, "", NULL},
    {BYTES("one.png\0" S "two\nlines.png\0" S "three.png\r\0"), false,
     "one.png|" S "two\nlines.png|" S "three.png\r|", NULL}, /* there are such files */
    {BYTES("one.png\0two\nlines.png\0three.png\r\0"), true, "one.png|two\nlines.png|three.png\r|", NULL},
    {BYTES("one.png\0two.png\nthree.png\n"), false, "one.png|", "list: entry 2 holds a line end, and others"},
    {BYTES("one.png\0two.png\0three.png\r\n"), false, "one.png|two.png|", "list: entry 3 holds a line end"},
    {BYTES("one.png\0two.png\0\n"), false, "one.png|two.png|", "list: entry 3 holds a line end"},
    {BYTES("one.png\n\ntwo.png\0three.png\n"), false, "one.png|",
     "list: entry 3 ends in a zero byte, others"},
    {BYTES("one.png\n\0two.png\n\0"), false, "one.png|", "list: entry 2 ends in a zero byte"},
    {BYTES("one.png\r\ntwo.png\0"), false, "one.png|", "entry 2 ends in a zero byte"},
    {BYTES("\xEF\xBB\xBFone.png\0two.png"), false, "one.png|two.png|", NULL},
    {BYTES("a\nb.png\0c.png\0"), true, "a\nb.png|c.png|", NULL},
    {BYTES("a\0b\0"), true, "a|b|", NULL},
    {BYTES("a\nb.png\0c.png\0"), false, "a|", "say --null"},
    {BYTES("\xFF\xFE"
           "a\0.\0p\0\r\0\n\0"),
     false, "", "list: is UTF-16 text"},
    {BYTES("\xFF\xFE\0\0a\0\0\0\n\0\0\0"), false, "", "list: is UTF-32 text; save"},
    {BYTES("\0\0\xFE\xFF\0\0\0a\0\0\0\n"), false, "", "is UTF-32 text"},
    {BYTES("\xFF\xFE\0\0a\0\0\0"), true, "", "iconv -f UTF-32 "},
    {BYTES("a\0\0\0b\0\0\0\n\0\0\0"), false, "", "iconv -f UTF-32LE "},
    {BYTES("\0\0\0a\0\0\0b"), false, "", "iconv -f UTF-32BE "},
    {BYTES("\n\0\0\0a\0\0\0"), false, "", "iconv -f UTF-32LE "},
    {BYTES("a\0picture.png\0"), false, "",
     "list: holds zero bytes; if the zero bytes separate the names, say --null"},
    {BYTES("\xFE\xFF\0a\0.\0p\0\r\0\n"), false, "", "is UTF-16 text"},
    {BYTES("a\0.\0p\0n\0g\0\n\0"), false, "", "is UTF-16 text"},
    {BYTES("\n\0\n\0a\0.\0p\0"), false, "", "is UTF-16 text"},
    {BYTES("\0\n\0\n\0a"), false, "", "is UTF-16 text"},
    {BYTES("\xFE\x56/\0001\0.\0p\0n\0g\0\n\0"), false, "", "iconv -f UTF-16LE "}, /* \u56FE/1.png */
    {BYTES("\x56\xFE\0/\0001\0.\0p\0n\0g\0\n"), false, "", "iconv -f UTF-16BE "},
    {BYTES("-N/\0001\0.\0p\0n\0g\0\r\0\n\0"), false, "", "iconv -f UTF-16LE "}, /* \u4E2D/1.png */
    {BYTES("\0N\0N\0N.\0p\0n\0g\0"), false, "", "iconv -f UTF-16LE "},          /* \u4E00 three times */
    {BYTES("N\0N\0N\0\0.\0p\0n\0g"), false, "", "iconv -f UTF-16BE "},
    {BYTES("\x18\4:\4.\0p\0n\0g\0\n\0"), false, "", "iconv -f UTF-16LE "}, /* \u0418\u043A.png */
    {BYTES("\xCA\x4E-N\n\0\xCA\x4E\n\0a\0.\0"), false, "\xCAN-N|", "iconv -f UTF-16LE "}, /* lines at once */
    {BYTES("\x3D\xD8\x00\xDE.\0p\0n\0g\0"), false, "", "iconv -f UTF-16LE "},             /* \U0001F600.png */
    {BYTES("-N/\0001\0.\0p\0n\0g\0"), true, "-N/|1|.|p|n|g|", NULL},
    {BYTES("none.png\0two.png\0x.png\0"), false, "none.png|two.png|x.png|", NULL}, /* letters in pairs */
    {BYTES("a.png\nb.png\n"), true, "", "leave --null out"},
    {BYTES("a.png"), true, "a.png|", NULL},
    {BYTES("\0a\0.\0p\0n\0g\0\n"), false, "", "is UTF-16 text"},
    {BYTES("\0\0\0\0\0\0\0\0\0\0"), false, "", "list: is not text (binary)"},
    {BYTES("\0"), false, "", "is not text (binary)"},
    {BYTES("\x89PNG\r\n\x1A\n\0\0\0\rIHDR"), false, "\x89PNG|\x1A|", "is not text (binary)"},
    {BYTES("\n\0\0\0\0"), false, "", "is not text (binary)"},
    {BYTES("X\1\0\0\0\0\0\0{}"), false, "", "is not text (binary)"}, /* .safetensors */
    {BYTES("PK\3\4\x14\0\0\0"), false, "", "is not text (binary)"},
    {BYTES("a\x1B.png\0b\1.png\0"), false, "a\x1B.png|b\1.png|", NULL}, /* names may hold anything */
};

START_TEST(lists_give_their_names) {
    const ListCase *c = &list_cases[_i];
    char names[256] = "";
    const char *name = "";
    write_bytes(S "list", c->list.bytes, c->list.size);
    write_text(S "two\nlines.png", "");
    write_text(S "three.png\r", "");
    EadNameList list = {.stream = fopen(S "list", "rb"), .label = "list", .zeros = c->zeros};
    ck_assert_ptr_nonnull(list.stream);
    EadStatus status = EAD_OK;
    while (name && (status = ead_name_list_next(&list, &name)) == EAD_OK && name) {
        strcat(names, name);
        strcat(names, "|");
    }
    ck_assert_str_eq(names, c->names);
    fclose(list.stream);
    if (c->message)
        ASSERT_FAILS(status, EAD_BAD_FILE, c->message);
    else
        ASSERT_OK(status);
    ead_name_list_free(&list);
    ASSERT_OK(ead_name_list_next(&list, &name)); /* no stream, no names */
    ck_assert_ptr_null(name);
}
END_TEST

/* ---- printing ---- */

START_TEST(a_terminal_gets_nothing_to_obey) {
    static const char *const cases[][2] = {
        {"gr\u00FCn \u20AC \U0001F600 \u05D0\u0628",
         "gr\u00FCn \u20AC \U0001F600 \u05D0\u0628"}, /* letters of both directions */
        {"\x1b[31m\x7f\t", "?[31m??"},
        {"\xC2\x9B"
         "31m\xC2\x80\xC2\x9F\xC2\xA0",
         "?31m??\xC2\xA0"}, /* C1; not U+00A0 */
        {"a\u202Egnp.exe\u202C", "a?gnp.exe?"},
        {"\u202A\u202B\u202D\u2066\u2067\u2068\u2069\u200E\u200F\u061C", "??????????"},
        {"\u2028\u2029\uFEFF", "???"},
        {"gas\u200Bket\u00AD", "gas?ket?"},
        {"\u0646\u200C\u0646 \U0001F468\u200D\U0001F469",
         "\u0646\u200C\u0646 \U0001F468\u200D\U0001F469"}, /* they shape letters */
        {"\x9B"
         "31m",
         "?31m"}, /* C1 as a terminal of 8 bits has it: no UTF-8 */
        {"\xC0\x9B \xE0\x80\x9B \xED\xA0\x80 \xFF", "?? ??? ??? ?"},
        {"cut \xE2\x80", "cut ??"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        snprintf(text, sizeof text, "%s", cases[i][0]);
        ead_make_printable(text);
        ck_assert_str_eq(text, cases[i][1]);
        ead_fail(EAD_IO, "<%s>", cases[i][0]);
        snprintf(text, sizeof text, "<%s>", cases[i][1]);
        ck_assert_str_eq(ead_error_message(), text);
    }
}
END_TEST

static void check_print(const char *name, const char *expected) {
    char text[4096] = "";
    FILE *stream = fmemopen(text, sizeof text, "w");
    ead_print(stream, "%s: done\n", name);
    ead_print(stream, "%s", name);
    fclose(stream);
    ck_assert_str_eq(text, expected);
}

START_TEST(lines_are_printed_whole) {
    char name[2001], expected[4096];
    check_print("a", "a: done\na");
    check_print("a\nefficientad: b\n", "a?efficientad: b?: done\na?efficientad: b?");
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(expected, sizeof expected, "%s: done\n%s", name, name);
    check_print(name, expected);
}
END_TEST

/* Some numbers as they stand, and of many bit patterns: the text is read as the same number by every reader, and with a digit
 * less, of 6 or more, it is not. */
START_TEST(numbers_have_no_more_digits_than_they_need) {
    static const struct {
        float value;
        const char *text;
    } floats[] = {{0.1f, "0.1"},    {-0.7f, "-0.7"},           {100000, "100000"}, {16777216, "16777216"},
                  {1e-5f, "1e-05"}, {0.3333333f, "0.3333333"}, {INFINITY, "inf"},  {-0.0f, "-0"}};
    static const struct {
        double value;
        const char *text;
    } doubles[] = {{0.1, "0.1"},
                   {1.0 / 3, "0.3333333333333333"},
                   {1e300, "1e+300"},
                   {0.30000000000000004, "0.30000000000000004"}};
    char text[EAD_NUMBER_TEXT], shorter[320];
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        ck_assert_str_eq(ead_float_text(floats[i].value, text), floats[i].text);
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++)
        ck_assert_str_eq(ead_double_text(doubles[i].value, text), doubles[i].text);
    ck_assert_str_eq(ead_float_text(NAN, text), "nan");
    for (uint32_t i = 0, bits = 1; i < 20000; i++, bits = bits * 1664525 + 1013904223) {
        float value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        ead_float_text(value, text);
        ck_assert_msg(strtof(text, NULL) == value && (float)strtod(text, NULL) == value, "%08x: %s", bits,
                      text);
        int digits = 0;
        for (const char *c = text; *c && *c != 'e'; c++) digits += *c >= '0' && *c <= '9';
        for (const char *c = text; *c == '0' || *c == '.' || *c == '-'; c++) digits -= *c == '0';
        if (digits <= 6) continue;
        snprintf(shorter, sizeof shorter, "%.*g", digits - 1, (double)value);
        ck_assert_msg(strtof(shorter, NULL) != value, "%08x: %s for %s", bits, text, shorter);
    }
}
END_TEST

/* The second time nothing is left to write, and what failed the first time is told all the same. */
START_TEST(output_that_does_not_arrive_is_told) {
    FILE *stream = fopen("/dev/full", "w");
    SKIP_UNLESS(stream, "there is no /dev/full");
    ck_assert_int_eq(ead_print_flush(stream), EAD_OK);
    fputs("lost", stream);
    ck_assert_int_eq(ead_print_flush(stream), EAD_IO);
    ck_assert_str_eq(ead_error_message(), "standard output: No space left on device");
    __fpurge(stream);
    ck_assert_int_eq(ead_print_flush(stream), EAD_IO);
    ck_assert_str_eq(ead_error_message(), "standard output: Input/output error");
    fclose(stream);
}
END_TEST

static void remove_scratch(void) {
    shell_ok("rm -rf " S);
}

int main(void) {
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");
    tcase_add_unchecked_fixture(tests, NULL, remove_scratch);
    tcase_add_test(tests, marks_and_line_ends_are_made_plain);
    tcase_add_test(tests, wide_text_is_named);
    tcase_add_loop_test(tests, lists_give_their_names, 0, (int)(sizeof list_cases / sizeof *list_cases));
    tcase_add_test(tests, a_terminal_gets_nothing_to_obey);
    tcase_add_test(tests, lines_are_printed_whole);
    tcase_add_test(tests, numbers_have_no_more_digits_than_they_need);
    tcase_add_test(tests, output_that_does_not_arrive_is_told);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}

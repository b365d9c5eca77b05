/* test_size.c - numbers in options. */
#include "size.h"

#include "unit.h"

#include <errno.h>

START_TEST(test_units)
{
    uint64_t value;

    ck_assert_int_eq(size_parse("0", 0, &value), 0);
    ck_assert_uint_eq(value, 0);
    ck_assert_int_eq(size_parse("123", 0, &value), 0);
    ck_assert_uint_eq(value, 123);
    ck_assert_int_eq(size_parse("3k", 0, &value), 0);
    ck_assert_uint_eq(value, 3072);
    ck_assert_int_eq(size_parse("64M", 0, &value), 0);
    ck_assert_uint_eq(value, (uint64_t)64 << 20);
    ck_assert_int_eq(size_parse("2g", 0, &value), 0);
    ck_assert_uint_eq(value, (uint64_t)2 << 30);
    ck_assert_int_eq(size_parse("1T", 0, &value), 0);
    ck_assert_uint_eq(value, (uint64_t)1 << 40);
    ck_assert_int_eq(size_parse("15e", 0, &value), 0);
    ck_assert_uint_eq(value, (uint64_t)15 << 60);
    ck_assert_int_eq(size_parse("18446744073709551615", 0, &value), 0);
    ck_assert_uint_eq(value, UINT64_MAX);
}
END_TEST

START_TEST(test_percent)
{
    uint64_t value;

    ck_assert_int_eq(size_parse("25%", 400, &value), 0);
    ck_assert_uint_eq(value, 100);
    ck_assert_int_eq(size_parse("100%", UINT64_MAX, &value), 0);
    ck_assert_uint_eq(value, UINT64_MAX);
    ck_assert_int_eq(size_parse("200%", UINT64_MAX, &value), -ERANGE);
    ck_assert_int_eq(size_parse("25%", 0, &value), -EINVAL);
    ck_assert_int_eq(size_parse("%", 400, &value), -EINVAL);
    ck_assert_int_eq(size_parse("5%%", 400, &value), -EINVAL);
}
END_TEST

START_TEST(test_nonsense)
{
    static const char *const nonsense[] = {
        "",    "k",  "-1",   "+1",   " 1", "1 ",
        "1kk", "1x", "0x10", "1.5g", "m1", "1k%",
    };
    uint64_t value;

    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
        ck_assert_msg(size_parse(nonsense[i], 100, &value) == -EINVAL,
                      "'%s' was taken", nonsense[i]);
    ck_assert_int_eq(size_parse("18446744073709551616", 0, &value), -ERANGE);
    ck_assert_int_eq(size_parse("16e", 0, &value), -ERANGE);
    ck_assert_int_eq(size_parse("99999999999999999999999", 0, &value), -ERANGE);
}
END_TEST

START_TEST(test_number)
{
    uint64_t value;

    ck_assert_int_eq(number_parse("1777", 8, 07777, &value), 0);
    ck_assert_uint_eq(value, 01777);
    ck_assert_int_eq(number_parse("0755", 8, 07777, &value), 0);
    ck_assert_uint_eq(value, 0755);
    ck_assert_int_eq(number_parse("789", 8, 07777, &value), -EINVAL);
    ck_assert_int_eq(number_parse("17777", 8, 07777, &value), -ERANGE);
    ck_assert_int_eq(number_parse("1000", 10, UINT32_MAX, &value), 0);
    ck_assert_uint_eq(value, 1000);
    ck_assert_int_eq(number_parse("root", 10, UINT32_MAX, &value), -EINVAL);
}
END_TEST

START_TEST(test_format)
{
    char text[32];

    ck_assert_str_eq(size_format(0, text, sizeof(text)), "0");
    ck_assert_str_eq(size_format(1023, text, sizeof(text)), "1023");
    ck_assert_str_eq(size_format(1024, text, sizeof(text)), "1k");
    ck_assert_str_eq(size_format((uint64_t)64 << 20, text, sizeof(text)),
                     "64m");
    ck_assert_str_eq(size_format((uint64_t)3 << 29, text, sizeof(text)),
                     "1.5g");
    ck_assert_str_eq(size_format(UINT64_MAX, text, sizeof(text)), "15.9e");
}
END_TEST

START_TEST(test_exact)
{
    static const char *const texts[] = { "0", "1023", "1k", "1850m", "12g",
                                         "1537k", "15e",
                                         "18446744073709551615" };
    char text[32];
    uint64_t value;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert_int_eq(size_parse(texts[i], 0, &value), 0);
        ck_assert_str_eq(size_exact(value, text, sizeof(text)), texts[i]);
    }
}
END_TEST

UNIT_MAIN("size", test_units, test_percent, test_nonsense, test_number,
          test_format, test_exact)

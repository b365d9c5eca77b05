/* test_number.c - sizes, read and written. */
#include "ctl.h"
#include "unit.h"

START_TEST(test_read)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        { "0", 0 }, { "1", 1 }, { "4096", 4096 }, { "1k", 1024 },
        { "64m", 64 << 20 }, { "64M", 64 << 20 }, { "3g", (uint64_t)3 << 30 },
        { "2t", (uint64_t)2 << 40 }, { "18446744073709551615", UINT64_MAX },
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        uint64_t bytes;

        ck_assert(number_size(good[i].text, &bytes));
        ck_assert_uint_eq(bytes, good[i].bytes);
    }
}
END_TEST

START_TEST(test_refused)
{
    static const char *const bad[] = {
        "", "m", "-1", "+1", " 1", "1 ", "1kk", "1km", "1x", "50%", "1.5g",
        "18446744073709551616", "18014398509481984k", "99999999p",
    };
    uint64_t bytes = 7;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!number_size(bad[i], &bytes), "%s is taken", bad[i]);
    ck_assert_uint_eq(bytes, 7);
}
END_TEST

START_TEST(test_plain)
{
    static const char *const bad[] = { "", "-1", "+1", " 1", "1k", "0x1",
                                       "18446744073709551616" };
    uint64_t number;

    ck_assert(number_plain("18446744073709551615", &number));
    ck_assert_uint_eq(number, UINT64_MAX);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!number_plain(bad[i], &number), "%s is taken", bad[i]);
    ck_assert_uint_eq(number, UINT64_MAX);
}
END_TEST

START_TEST(test_written)
{
    char text[32];

    ck_assert_str_eq(number_bytes(0, text, sizeof(text)), "0");
    ck_assert_str_eq(number_bytes(1023, text, sizeof(text)), "1023");
    ck_assert_str_eq(number_bytes(1024, text, sizeof(text)), "1.0K");
    ck_assert_str_eq(number_bytes(1536, text, sizeof(text)), "1.5K");
    ck_assert_str_eq(number_bytes((uint64_t)5 << 30, text, sizeof(text)), "5.0G");
    ck_assert_str_eq(number_bytes(UINT64_MAX, text, sizeof(text)), "16384.0P");
}
END_TEST

UNIT_MAIN("number", test_read, test_refused, test_plain, test_written)

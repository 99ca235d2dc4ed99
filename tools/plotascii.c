/* X-SAMPA (Wells, 1995) for the phones that espeak-ng writes. */
#include <string.h>

#include "plots.h"

static const struct pair {
    const char *ipa, *ascii;
} table[] = {
    {"ə", "@"},  {"ɚ", "@`"}, {"ɝ", "3`"}, {"ɜ", "3"}, {"ɐ", "6"},  {"ɑ", "A"}, {"ɒ", "Q"},  {"æ", "{"},  {"ʌ", "V"},
    {"ɛ", "E"},  {"ɪ", "I"},  {"ɨ", "1"},  {"ᵻ", "I"}, {"ɔ", "O"},  {"ʊ", "U"}, {"ʉ", "}"},  {"ø", "2"},  {"œ", "9"},
    {"ʏ", "Y"},  {"ɯ", "M"},  {"ɤ", "7"},  {"ʃ", "S"}, {"ʒ", "Z"},  {"θ", "T"}, {"ð", "D"},  {"ŋ", "N"},  {"ɲ", "J"},
    {"ɡ", "g"},  {"ɹ", "r\\"}, {"ɾ", "4"}, {"ʁ", "R"}, {"ç", "C"},  {"ʔ", "?"}, {"ɫ", "5"},  {"ʎ", "L"},  {"ɥ", "H"},
    {"ɬ", "K"},  {"β", "B"},  {"ɣ", "G"},  {"χ", "X"}, {"ʋ", "P"},  {"ː", ":"}, {"ˈ", "\""}, {"ˌ", "%"},  {"\xcc\x83", "~"},
    {"ã", "a~"}, {"õ", "o~"}, {"ẽ", "e~"}, {"\xcd\xa1", ""},        {"\xcc\xa9", "="},       {"ʲ", "_j"}, {"ɕ", "s\\"},
    {"ʑ", "z\\"},
};

/* How many bytes the first character has. */
static size_t length_of(const char *text)
{
    size_t n = 1;

    while (((unsigned char)text[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static const char *find(const char *symbol, size_t length)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strlen(table[i].ipa) == length && memcmp(table[i].ipa, symbol, length) == 0)
            return table[i].ascii;
    return "?";
}

void lac_plot_ascii(const char *symbol, char *text, size_t room)
{
    size_t at = 0;

    while (*symbol) {
        size_t length = length_of(symbol);
        char plain[2] = {*symbol, 0};
        const char *ascii = (unsigned char)*symbol < 0x80 ? plain : find(symbol, length);

        if (at + strlen(ascii) + 1 > room)
            break;
        memcpy(text + at, ascii, strlen(ascii));
        at += strlen(ascii);
        symbol += length;
    }
    text[at] = 0;
}

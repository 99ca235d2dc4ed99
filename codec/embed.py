"""Write the C file that embeds models: embed.py OUT.c [MODEL.lacm]...

The assembler's .incbin takes the bytes as they are: a C array of 8 million numbers would take a minute to compile.
"""
import os
import sys

PROLOGUE = '''/* Written by embed.py. */
#include "modelfile.h"

#ifdef __APPLE__
#define SECTION ".section __TEXT,__const\\n"
#define SYMBOL(name) "_" name
#define HIDDEN ".private_extern "
#else
#define SECTION ".section .rodata.lac_models,\\"a\\"\\n"
#define SYMBOL(name) name
#define HIDDEN ".hidden "
#endif
'''
MODEL = '''
__asm__(SECTION ".balign 64\\n"
        ".globl " SYMBOL("{symbol}") "\\n" HIDDEN SYMBOL("{symbol}") "\\n" SYMBOL("{symbol}") ":\\n"
        ".incbin \\"{path}\\"\\n"
        ".globl " SYMBOL("{symbol}_end") "\\n" HIDDEN SYMBOL("{symbol}_end") "\\n" SYMBOL("{symbol}_end") ":\\n"
        ".byte 0\\n.text\\n");
extern const unsigned char {symbol}[], {symbol}_end[];
'''


def main(out, models):
    symbols = ['lac_embedded_%d' % i for i in range(len(models))]
    with open(out, 'w') as f:
        f.write(PROLOGUE)
        for symbol, path in zip(symbols, models):
            quoted = os.path.abspath(path).replace('\\', '\\\\\\\\').replace('"', '\\\\\\"')
            f.write(MODEL.format(symbol=symbol, path=quoted))
        f.write('\nconst lac_embedded_model lac_embedded_models[] = {\n')
        for symbol, path in zip(symbols, models):
            name = os.path.splitext(os.path.basename(path))[0]
            f.write('    {"%s", %s, %s_end},\n' % (name, symbol, symbol))
        f.write('    {NULL, NULL, NULL},\n};\n')


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])

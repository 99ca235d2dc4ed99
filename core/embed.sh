#!/bin/sh
# Write the C file that embeds models as the table TABLE of lac_embedded_model: embed.sh OUT.c TABLE [MODEL]...
#
# The assembler's .incbin takes the bytes as they are: a C array of 8 million numbers would take a minute to compile.
set -eu
out=$1 table=$2
shift 2

prologue() {
    cat <<'EOF'
/* Written by embed.sh. */
#include "modelopen.h"

#if defined(__APPLE__)
#define SECTION ".section __TEXT,__const\n"
#define SYMBOL(name) "_" name
#define HIDDEN ".private_extern "
#define SIZED(name)
#define END ".text\n"
#elif defined(__wasm__)
#define SECTION ".section .rodata.lac_models,\"\",@\n"
#define SYMBOL(name) name
#define HIDDEN ".hidden "
#define SIZED(name) ".type " name ",@object\n.size " name ", .-" name "\n"
#define END
#else
#define SECTION ".section .rodata.lac_models,\"a\"\n"
#define SYMBOL(name) name
#define HIDDEN ".hidden "
#define SIZED(name)
#define END ".text\n"
#endif

#define LABEL(name) ".globl " SYMBOL(name) "\n" HIDDEN SYMBOL(name) "\n" SYMBOL(name) ":\n"
#define EMBED(symbol, path)                                                                          \
    __asm__(SECTION ".balign 64\n" LABEL(#symbol) ".incbin \"" path "\"\n" SIZED(#symbol)             \
            LABEL(#symbol "_end") ".byte 0\n" SIZED(#symbol "_end") END);                            \
    extern const unsigned char symbol[], symbol##_end[];

EOF
}

models() {
    i=0
    for model; do
        case $model in /*) ;; *) model=$PWD/$model ;; esac
        quoted=$(printf '%s' "$model" | sed 's/[\\"]/\\\\\\&/g')
        printf 'EMBED(%s_%d, "%s")\n' $table $i "$quoted"
        i=$((i + 1))
    done
    printf '\nextern const lac_embedded_model %s[];\nconst lac_embedded_model %s[] = {\n' $table $table
    i=0
    for model; do
        name=$(basename "$model")
        printf '    {"%s", %s_%d, %s_%d_end},\n' "${name%.*}" $table $i $table $i
        i=$((i + 1))
    done
    printf '    {NULL, NULL, NULL},\n};\n'
}

{ prologue; models "$@"; } > "$out"

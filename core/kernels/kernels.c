#include "kernels.h"

#include "cpu.h"

/* Rows for a set of instructions exist where it was compiled. */
#define ENTRY(op, set, flags) {"" #op "_" #set, (void (*)(void))lac_##op##_##set, flags},
#define C(op) ENTRY(op, c, 0)
#if defined(LAC_WITH_X86)
#define AVX512VNNI(op) ENTRY(op, avx512vnni, LAC_CPU_AVX512VNNI)
#define AVX512(op) ENTRY(op, avx512, LAC_CPU_AVX512)
#define AVX2(op) ENTRY(op, avx2, LAC_CPU_AVX2)
#define SHANI(op) ENTRY(op, shani, LAC_CPU_SHANI)
#else
#define AVX512VNNI(op)
#define AVX512(op)
#define AVX2(op)
#define SHANI(op)
#endif
#if defined(LAC_WITH_NEON)
#define NEONDOT(op) ENTRY(op, neondot, LAC_CPU_NEONDOT)
#define NEONSHA2(op) ENTRY(op, neonsha2, LAC_CPU_NEONSHA2)
#define NEON(op) ENTRY(op, neon, LAC_CPU_NEON)
#else
#define NEONDOT(op)
#define NEONSHA2(op)
#define NEON(op)
#endif
#if defined(LAC_WITH_SIMD128)
#define SIMD128(op) ENTRY(op, simd128, LAC_CPU_SIMD128)
#else
#define SIMD128(op)
#endif

/* The fastest first. NEON is in every 64-bit Arm, so the compiler uses it in the C definitions too. AVX-512 has
 * rows where they save time worth their size. */
static const lac_kernel_entry gemm_s16s8_table[] = {
    AVX512VNNI(gemm_s16s8) AVX512(gemm_s16s8) AVX2(gemm_s16s8) NEONDOT(gemm_s16s8) NEON(gemm_s16s8)
    SIMD128(gemm_s16s8) C(gemm_s16s8)};
static const lac_kernel_entry dot_s16s8_table[] = {
    AVX512VNNI(dot_s16s8) AVX2(dot_s16s8) NEONDOT(dot_s16s8) NEON(dot_s16s8) SIMD128(dot_s16s8) C(dot_s16s8)};
static const lac_kernel_entry scale_sums_table[] = {AVX2(scale_sums) C(scale_sums)};
static const lac_kernel_entry quantize_row_table[] = {
    AVX512(quantize_row) AVX2(quantize_row) SIMD128(quantize_row) C(quantize_row)};
static const lac_kernel_entry depthwise_table[] = {AVX2(depthwise) SIMD128(depthwise) C(depthwise)};
static const lac_kernel_entry norm_row_table[] = {AVX2(norm_row) SIMD128(norm_row) C(norm_row)};
static const lac_kernel_entry gelu_table[] = {AVX512(gelu) AVX2(gelu) SIMD128(gelu) C(gelu)};
static const lac_kernel_entry fft_forward_table[] = {
    AVX2(fft_forward) NEON(fft_forward) SIMD128(fft_forward) C(fft_forward)};
static const lac_kernel_entry fft_inverse_table[] = {
    AVX2(fft_inverse) NEON(fft_inverse) SIMD128(fft_inverse) C(fft_inverse)};
static const lac_kernel_entry compress_spectrum_table[] = {
    AVX512(compress_spectrum) AVX2(compress_spectrum) SIMD128(compress_spectrum) C(compress_spectrum)};
static const lac_kernel_entry mix_rows_table[] = {AVX2(mix_rows) SIMD128(mix_rows) C(mix_rows)};
static const lac_kernel_entry align_harmonics_table[] = {
    AVX2(align_harmonics) SIMD128(align_harmonics) C(align_harmonics)};
static const lac_kernel_entry shape_spectrum_table[] = {
    AVX2(shape_spectrum) SIMD128(shape_spectrum) C(shape_spectrum)};
static const lac_kernel_entry pulses_table[] = {AVX512(pulses) AVX2(pulses) SIMD128(pulses) C(pulses)};
static const lac_kernel_entry noise_table[] = {AVX512(noise) AVX2(noise) SIMD128(noise) C(noise)};
static const lac_kernel_entry nearest_table[] = {
    AVX512VNNI(nearest) AVX2(nearest) NEON(nearest) SIMD128(nearest) C(nearest)};
static const lac_kernel_entry scores_table[] = {
    AVX512VNNI(scores) AVX2(scores) NEON(scores) SIMD128(scores) C(scores)};
static const lac_kernel_entry sha256_blocks_table[] = {SHANI(sha256_blocks) NEONSHA2(sha256_blocks) C(sha256_blocks)};

static const struct {
    const lac_kernel_entry *entries;
    size_t count;
} tables[] = {
#define TABLE(op) {op##_table, sizeof op##_table / sizeof *op##_table},
    LAC_OPERATIONS(TABLE)
#undef TABLE
};

const lac_kernel_entry *lac_kernels_table(enum lac_operation operation, size_t *count)
{
    *count = tables[operation].count;
    return tables[operation].entries;
}

static const lac_kernel_entry *choose(enum lac_operation operation, uint32_t flags)
{
    const lac_kernel_entry *e = tables[operation].entries;
    while ((e->flags & ~flags) != 0)
        e++;
    return e;
}

void lac_kernels_choose(lac_kernels *kernels, uint32_t flags)
{
    const lac_kernel_entry *e;
#define CHOOSE(op)                                 \
    e = choose(LAC_OPERATION_##op, flags);         \
    kernels->op = (lac_##op##_fn *)e->function;    \
    kernels->names[LAC_OPERATION_##op] = e->name;
    LAC_OPERATIONS(CHOOSE)
#undef CHOOSE
    kernels->packed = kernels->gemm_s16s8 != lac_gemm_s16s8_c || kernels->nearest != lac_nearest_c;
}

// CRC-32C (Castagnoli; RFC 3720 section 12.1, appendix B.4) with the CPU's own instruction where there is one.
//
// One CRC instruction has a latency of three cycles and a throughput of one, so a single chain of them leaves two thirds
// of the unit idle. Three neighbouring stretches are therefore summed side by side and then joined: the CRC of A‖B is
// shift(crc(A), |B|) ^ crc(B), where shift() appends |B| zero bytes. For two fixed lengths, shift() is four table look-ups.
#include "crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#if defined(__linux__)
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7) // Linux, arch/arm64/include/uapi/asm/hwcap.h
#endif
#endif
#endif

// The Castagnoli polynomial, least significant bit first.
#define POLYNOMIAL 0x82f63b78u
// Bytes in one of three stretches. Pieces from libcurl are 16 KiB: two rounds of the long kind, the rest by the short kind.
#define LONG_STRETCH 2048
#define SHORT_STRETCH 256

// slice[k][b]: what byte b adds to the sum when k more bytes follow it.
static uint32_t slice[8][256];
// The shift over one stretch, byte by byte of the sum that is shifted.
static uint32_t long_shift[4][256], short_shift[4][256];

static uint64_t load(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static uint32_t portable(uint32_t sum, const uint8_t *p, size_t length) {
    for (; length >= 8; p += 8, length -= 8) {
        uint32_t low = sum ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
        sum = slice[7][low & 255] ^ slice[6][low >> 8 & 255] ^ slice[5][low >> 16 & 255] ^ slice[4][low >> 24] ^
              slice[3][p[4]] ^ slice[2][p[5]] ^ slice[1][p[6]] ^ slice[0][p[7]];
    }
    for (; length > 0; p++, length--) sum = sum >> 8 ^ slice[0][(sum ^ *p) & 255];
    return sum;
}

// The sum after `zeros` zero bytes, by table look-up of single bytes; only for making tables.
static uint32_t after_zeros(uint32_t sum, size_t zeros) {
    for (; zeros > 0; zeros--) sum = sum >> 8 ^ slice[0][sum & 255];
    return sum;
}

static void make_shift(uint32_t table[4][256], size_t zeros) {
    for (int byte = 0; byte < 4; byte++) {
        for (int bit = 0; bit < 8; bit++) table[byte][1 << bit] = after_zeros((uint32_t)1 << (8 * byte + bit), zeros);
        table[byte][0] = 0;
        // A shift is linear: any byte's entry is the sum of its bits' entries.
        for (int b = 1; b < 256; b++) table[byte][b] = table[byte][b & (b - 1)] ^ table[byte][b & -b];
    }
}

static uint32_t shift(uint32_t table[4][256], uint32_t sum) {
    return table[0][sum & 255] ^ table[1][sum >> 8 & 255] ^ table[2][sum >> 16 & 255] ^ table[3][sum >> 24];
}

#if defined(__x86_64__)
#define INSTRUCTION __attribute__((target("sse4.2")))
#define ADD8(sum, word) _mm_crc32_u64(sum, word)
#define ADD1(sum, byte) _mm_crc32_u8((uint32_t)(sum), byte)
typedef uint64_t wide;
static int has_instruction(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2");
}
#elif defined(__aarch64__)
#if defined(__clang__)
#define INSTRUCTION __attribute__((target("crc")))
#else
#define INSTRUCTION __attribute__((target("+crc")))
#endif
#define ADD8(sum, word) __crc32cd(sum, word)
#define ADD1(sum, byte) __crc32cb(sum, byte)
typedef uint32_t wide;
static int has_instruction(void) {
#if defined(__linux__)
    return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#elif defined(__APPLE__)
    return 1; // every 64-bit Apple CPU since the A10, and every Mac
#else
    return 0;
#endif
}
#endif

#ifdef INSTRUCTION
// Sums as many rounds of three stretches as fit; moves `*bytes` and `*length` on.
INSTRUCTION static uint32_t rounds(
    uint32_t sum, const uint8_t **bytes, size_t *length, size_t stretch, uint32_t table[4][256]) {
    const uint8_t *p = *bytes;
    size_t left = *length;
    for (; left >= 3 * stretch; p += 3 * stretch, left -= 3 * stretch) {
        wide a = sum, b = 0, c = 0;
        for (size_t i = 0; i < stretch; i += 8) {
            a = ADD8(a, load(p + i));
            b = ADD8(b, load(p + stretch + i));
            c = ADD8(c, load(p + 2 * stretch + i));
        }
        sum = shift(table, shift(table, (uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
    }
    *bytes = p;
    *length = left;
    return sum;
}

INSTRUCTION static uint32_t accelerated(uint32_t sum, const uint8_t *p, size_t length) {
    sum = rounds(sum, &p, &length, LONG_STRETCH, long_shift);
    sum = rounds(sum, &p, &length, SHORT_STRETCH, short_shift);
    wide rest = sum;
    for (; length >= 8; p += 8, length -= 8) rest = ADD8(rest, load(p));
    for (; length > 0; p++, length--) rest = ADD1(rest, *p);
    return (uint32_t)rest;
}
#endif

static uint32_t (*append)(uint32_t sum, const uint8_t *p, size_t length) = portable;

// Runs when the program is loaded, before main and before any thread: the tables are constant from then on.
__attribute__((constructor)) static void make_tables(void) {
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t sum = b;
        for (int bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >> 1 ^ POLYNOMIAL : sum >> 1;
        slice[0][b] = sum;
    }
    for (int k = 1; k < 8; k++)
        for (int b = 0; b < 256; b++) slice[k][b] = slice[k - 1][b] >> 8 ^ slice[0][slice[k - 1][b] & 255];
    make_shift(long_shift, LONG_STRETCH);
    make_shift(short_shift, SHORT_STRETCH);
#ifdef INSTRUCTION
    if (has_instruction()) append = accelerated;
#endif
}

uint32_t coldroll_crc32c(uint32_t crc, const void *bytes, size_t length) { return ~append(~crc, bytes, length); }

// Compares both ways to compute a CRC-32C with the definition, and prints how fast they are.
// It takes in the implementation as text, to reach the functions that are not exported.
#include "../../Sources/CCrc32c/crc32c.c"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint32_t by_definition(const uint8_t *p, size_t length) {
    uint32_t sum = ~0u;
    for (size_t i = 0; i < length; i++) {
        sum ^= p[i];
        for (int bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >> 1 ^ POLYNOMIAL : sum >> 1;
    }
    return ~sum;
}

static int failures;

static void expect(const char *what, uint32_t got, uint32_t wanted, size_t length) {
    if (got == wanted) return;
    fprintf(stderr, "%s of %zu bytes is %08x, expected %08x\n", what, length, got, wanted);
    failures++;
}

static double gigabytes_per_second(uint32_t (*f)(uint32_t, const uint8_t *, size_t), const uint8_t *p, size_t length) {
    struct timespec from, to;
    uint32_t sum = 0;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < 4096; i++) sum = f(sum, p, length);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = (to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) / 1e9;
    return sum == 1 ? 0 : 4096.0 * length / seconds / 1e9;
}

int main(void) {
    enum { size = 9 * LONG_STRETCH };
    uint8_t *bytes = malloc(size);
    uint32_t state = 1;
    for (size_t i = 0; i < size; i++) bytes[i] = (state = state * 1664525 + 1013904223) >> 24;

    // RFC 3720, B.4, and the check value of the CRC catalogue.
    uint8_t zeros[32] = {0}, ones[32];
    memset(ones, 255, sizeof ones);
    expect("32 zeros", coldroll_crc32c(0, zeros, 32), 0x8a9136aa, 32);
    expect("32 ones", coldroll_crc32c(0, ones, 32), 0x62a8ab43, 32);
    expect("123456789", coldroll_crc32c(0, "123456789", 9), 0xe3069283, 9);

    for (size_t offset = 0; offset < 9; offset++) {
        for (size_t length = 0; length <= size - 9; length += length < 1024 ? 1 : 251) {
            uint32_t wanted = by_definition(bytes + offset, length);
            expect("portable", ~portable(~0u, bytes + offset, length), wanted, length);
#ifdef INSTRUCTION
            if (has_instruction()) expect("accelerated", ~accelerated(~0u, bytes + offset, length), wanted, length);
#endif
            size_t half = length / 2;
            uint32_t sum = coldroll_crc32c(0, bytes + offset, half);
            expect("two parts", coldroll_crc32c(sum, bytes + offset + half, length - half), wanted, length);
        }
    }
#ifdef INSTRUCTION
    printf("accelerated: %s\n", has_instruction() ? "yes" : "no");
    if (has_instruction()) printf("accelerated: %.1f GB/s\n", gigabytes_per_second(accelerated, bytes, 16384));
#endif
    printf("portable: %.1f GB/s\n", gigabytes_per_second(portable, bytes, 16384));
    printf(failures ? "failed\n" : "ok\n");
    return failures != 0;
}

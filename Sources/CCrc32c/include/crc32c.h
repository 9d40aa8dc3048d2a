#ifndef COLDROLL_CRC32C_H
#define COLDROLL_CRC32C_H
#include <stddef.h>
#include <stdint.h>
// CRC-32C of `length` bytes appended to data whose CRC-32C is `crc` (0 for none). Safe from any thread.
uint32_t coldroll_crc32c(uint32_t crc, const void *bytes, size_t length);
#endif

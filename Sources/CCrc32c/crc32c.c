#include "crc32c.h"
uint32_t coldroll_crc32c(uint32_t crc, const void *bytes, size_t length) { (void)bytes; (void)length; return crc; }

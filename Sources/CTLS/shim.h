#ifndef CTLS_SHIM_H
#define CTLS_SHIM_H
#include <openssl/ssl.h>
#include <stdbool.h>
#if defined(__linux__) && defined(__aarch64__)
#include <sys/auxv.h>
#endif
// SSL_CTX_set_read_ahead and SSL_CTX_clear_mode are macros with casts, which Swift does not import.
static inline void ctls_read_ahead(SSL_CTX *context, size_t bytes) {
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, bytes);
}
static inline void ctls_keep_buffers(SSL_CTX *context) { SSL_CTX_clear_mode(context, SSL_MODE_RELEASE_BUFFERS); }
// Whether the processor computes AES by itself. Bit 3 of AT_HWCAP is HWCAP_AES (Linux: arch/arm64/include/uapi/asm/hwcap.h);
// 64-bit Macs all do.
static inline bool ctls_has_aes(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("aes");
#elif defined(__aarch64__) && defined(__linux__)
    return (getauxval(AT_HWCAP) & (1 << 3)) != 0;
#else
    return true;
#endif
}
#endif

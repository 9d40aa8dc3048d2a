#ifndef CTLS_SHIM_H
#define CTLS_SHIM_H
#include <openssl/ssl.h>
// SSL_CTX_set_read_ahead and SSL_CTX_clear_mode are macros with casts, which Swift does not import.
static inline void ctls_read_ahead(SSL_CTX *context, size_t bytes) {
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, bytes);
}
static inline void ctls_keep_buffers(SSL_CTX *context) { SSL_CTX_clear_mode(context, SSL_MODE_RELEASE_BUFFERS); }
#endif

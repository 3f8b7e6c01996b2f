#pragma once
#include <sys/types.h>
#include <md5.h>

// The MD5 digest (RFC 1321) of a text, 16 bytes.
static inline void millrace_md5(const uint8_t *text, size_t length, uint8_t *digest) {
  MD5_CTX context;
  MD5Init(&context);
  MD5Update(&context, text, length);
  MD5Final(digest, &context);
}

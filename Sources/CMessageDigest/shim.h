#pragma once
#include <sys/types.h>
#include <md5.h>
#include <sha.h>
#include <sha2.h>

// The MD5 digest (RFC 1321) of a text, 16 bytes.
static inline void millrace_md5(const uint8_t *text, size_t length, uint8_t *digest) {
  MD5_CTX context;
  MD5Init(&context);
  MD5Update(&context, text, length);
  MD5Final(digest, &context);
}

// The SHA-1 digest (FIPS 180-4) of a text, 20 bytes.
static inline void millrace_sha1(const uint8_t *text, size_t length, uint8_t *digest) {
  SHA1_CTX context;
  SHA1Init(&context);
  SHA1Update(&context, text, length);
  SHA1Final(digest, &context);
}

// The SHA-256 digest (FIPS 180-4) of a text, 32 bytes.
static inline void millrace_sha256(const uint8_t *text, size_t length, uint8_t *digest) {
  SHA2_CTX context;
  SHA256Init(&context);
  SHA256Update(&context, text, length);
  SHA256Final(digest, &context);
}

// The SHA-512 digest (FIPS 180-4) of a text, 64 bytes.
static inline void millrace_sha512(const uint8_t *text, size_t length, uint8_t *digest) {
  SHA2_CTX context;
  SHA512Init(&context);
  SHA512Update(&context, text, length);
  SHA512Final(digest, &context);
}

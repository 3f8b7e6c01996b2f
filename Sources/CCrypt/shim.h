#pragma once
#include <crypt.h>
#include <stdlib.h>
#include <string.h>

// Hashes a password the way `setting` says and copies the result; 0 when that cannot be done. The structure that
// crypt_rn works in is too large for a stack, and is wiped, since it held the password.
static inline int millrace_crypt(const char *password, const char *setting, char *result, size_t size) {
  struct crypt_data *data = (struct crypt_data *)calloc(1, sizeof(struct crypt_data));
  if (data == NULL) return 0;
  const char *hash = crypt_rn(password, setting, data, (int)sizeof(struct crypt_data));
  int fits = hash != NULL && hash[0] != '*' && strlen(hash) < size;
  if (fits) memcpy(result, hash, strlen(hash) + 1);
  explicit_bzero(data, sizeof(struct crypt_data));
  free(data);
  return fits;
}

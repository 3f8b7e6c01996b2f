#pragma once
#include <errno.h>
#include <iconv.h>
#include <stddef.h>

// The C library's conversion of text, which is part of libc itself; its tables are loaded from files when one is opened.

// NULL when there is no such encoding.
static inline void *millrace_iconv_open(const char *to, const char *from) {
  iconv_t descriptor = iconv_open(to, from);
  return descriptor == (iconv_t)-1 ? NULL : (void *)descriptor;
}

static inline void millrace_iconv_close(void *descriptor) { iconv_close((iconv_t)descriptor); }

// Starts over with the first state of both encodings.
static inline void millrace_iconv_reset(void *descriptor) { iconv((iconv_t)descriptor, NULL, NULL, NULL, NULL); }

// Converts as much as it can and moves the two counts by what was read and written. 0 when all was read; 1 when there
// is no more room; 2 when the text ends in the middle of a character; 3 when it is malformed where it stopped. Without input it writes what it
// has held back.
static inline int millrace_iconv(void *descriptor, const char *input, size_t input_length, size_t *read, char *output,
                                 size_t output_length, size_t *written) {
  char *from = (char *)input, *to = output;
  size_t left = input_length, room = output_length;
  size_t result = iconv((iconv_t)descriptor, input_length > 0 ? &from : NULL, &left, &to, &room);
  int error = errno;
  *read = input_length - left;
  *written = output_length - room;
  if (result != (size_t)-1) return 0;
  return error == E2BIG ? 1 : error == EINVAL ? 2 : 3;
}

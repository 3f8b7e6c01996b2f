// The one function of libFuzzer that we call; see compiler-rt/lib/fuzzer/FuzzerInterface.h.
#include <stddef.h>
#include <stdint.h>

/// Mutates `size` bytes in place with libFuzzer's own mutations; returns the new size, at most `max_size`.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#include <stdint.h>

/// Calls of malloc, calloc, realloc and aligned allocation since the process started, on all threads.
uint64_t measure_allocations(void);

/// Starts counting the instructions this thread executes in user mode; returns a descriptor, or -1 where the machine or
/// the kernel does not let us (virtual machines often have no counters).
int measure_open_instructions(void);

/// Instructions since the descriptor was opened.
uint64_t measure_instructions(int descriptor);

// Tells ThreadSanitizer about the contended half of Swift's `Synchronization.Mutex`, and about continuations for
// Continuation.swift.
//
// A mutex that is free is taken and given back by atomic instructions that the compiler puts into our code, where
// ThreadSanitizer sees them. One that is taken ends in two functions of libswiftSynchronization, which is not
// instrumented, and in the kernel (FUTEX_LOCK_PI): ThreadSanitizer then misses that the one who gives it back comes
// before the one who waits, and reports races that are none. `Tests/Sanitizers/run thread` loads this library before
// libswiftSynchronization, so that both functions say so; nothing of it is in the product.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

typedef SWIFT void (*LockSlow)(uint32_t, SELF void *);
typedef SWIFT void (*UnlockSlow)(SELF void *);
typedef SWIFT void *(*CurrentTask)(void);
typedef void (*Annotation)(void *);

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) __asm__(LOCK_SLOW);
SWIFT void unlock_slow(SELF void *mutex) __asm__(UNLOCK_SLOW);

static LockSlow next_lock;
static UnlockSlow next_unlock;
static CurrentTask current_task;
static Annotation acquire;
static Annotation release;

static void *find(const char *name) {
  void *symbol = dlsym(RTLD_NEXT, name);
  if (!symbol) abort();
  return symbol;
}

// Before any other thread exists.
__attribute__((constructor)) static void prepare(void) {
  current_task = (CurrentTask)dlsym(RTLD_DEFAULT, "swift_task_getCurrent");
  acquire = (Annotation)dlsym(RTLD_DEFAULT, "__tsan_acquire");
  release = (Annotation)dlsym(RTLD_DEFAULT, "__tsan_release");
}

// `lock_slow` and `unlock_slow` may first be called on several threads; all of them find the same.
SWIFT void lock_slow(uint32_t thread, SELF void *mutex) {
  LockSlow next = __atomic_load_n(&next_lock, __ATOMIC_RELAXED);
  if (!next) {
    next = (LockSlow)find(LOCK_SLOW);
    __atomic_store_n(&next_lock, next, __ATOMIC_RELAXED);
  }
  next(thread, mutex);
  if (acquire) acquire(mutex);
}

SWIFT void unlock_slow(SELF void *mutex) {
  UnlockSlow next = __atomic_load_n(&next_unlock, __ATOMIC_RELAXED);
  if (!next) {
    next = (UnlockSlow)find(UNLOCK_SLOW);
    __atomic_store_n(&next_unlock, next, __ATOMIC_RELAXED);
  }
  if (release) release(mutex);
  next(mutex);
}

// The task that runs on this thread goes on after somebody resumed its continuation.
void millrace_tsan_resumed(void) {
  if (acquire && current_task) acquire(current_task());
}

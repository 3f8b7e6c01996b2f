// Tells ThreadSanitizer about continuations that are resumed before their task waits for them.
//
// The Swift runtime says itself that whoever resumes a task comes before what the task does next, except where the
// task need not be suspended any more: `swift_continuation_resume` then says its half, and `swift_continuation_await`,
// which goes straight on, does not say the other. ThreadSanitizer reports races that are none between the two. This
// library stands in front of `swift_continuation_await` and says it; nothing of it is in the product.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

// The head of the runtime's `ContinuationAsyncContext`, part of its binary interface.
typedef struct Context Context;
typedef __attribute__((swiftasynccall)) void (*Resume)(__attribute__((swift_async_context)) Context *);
struct Context {
  Context *parent;
  // Where the task goes on that is not suspended. One that is has had its copy since the continuation was made.
  Resume resume;
  uintptr_t flags;
};

// The task changes to another executor in any case, which the runtime says to ThreadSanitizer.
#define IS_EXECUTOR_SWITCH_FORCED 2

typedef __attribute__((swiftasynccall)) void (*Await)(Context *);
typedef __attribute__((swiftcall)) void *(*CurrentTask)(void);

__attribute__((swiftasynccall)) void await_continuation(Context *context) __asm__("swift_continuation_await");

static Await next_await;
static CurrentTask current_task;
static void (*acquire)(void *);
// Where the task of this thread goes on.
static _Thread_local Resume resume;

// Before any other thread exists.
__attribute__((constructor)) static void prepare(void) {
  acquire = (void (*)(void *))dlsym(RTLD_DEFAULT, "__tsan_acquire");
  current_task = (CurrentTask)dlsym(RTLD_DEFAULT, "swift_task_getCurrent");
  next_await = (Await)dlsym(RTLD_NEXT, "swift_continuation_await");
}

__attribute__((swiftasynccall)) static void go_on(__attribute__((swift_async_context)) Context *context) {
  context->resume = resume;
  acquire(current_task());
  __attribute__((musttail)) return context->resume(context);
}

__attribute__((swiftasynccall)) void await_continuation(Context *context) {
  if (acquire && current_task && !(context->flags & IS_EXECUTOR_SWITCH_FORCED)) {
    resume = context->resume;
    context->resume = go_on;
  }
  __attribute__((musttail)) return next_await(context);
}

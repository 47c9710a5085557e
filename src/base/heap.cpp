#include "walcat/base/heap.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace walcat {

#ifdef __GLIBC__

namespace {

// A page that comes anew costs as much as to copy it: only of what is large does that not matter.
constexpr int kOwnPages = 4 << 20;
// What each of the allocator's arenas may keep at its end for the next blocks.
constexpr int kKept = 8 << 20;

}  // namespace

void settle_heap() {
  ::mallopt(M_MMAP_THRESHOLD, kOwnPages);
  ::mallopt(M_TRIM_THRESHOLD, kKept);
}

void give_back_heap() { ::malloc_trim(0); }

#else

void settle_heap() {}
void give_back_heap() {}

#endif

}  // namespace walcat

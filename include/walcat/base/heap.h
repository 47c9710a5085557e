#pragma once

namespace walcat {

/// Makes what is freed go back to the system: a block of some MiB has pages of its own, and keeps no others from going.
/// Once, before threads are started. (glibc learns from the first large block that is freed to keep the next ones.)
void settle_heap();

/// Gives back what small blocks have left behind: pages of which nothing is in use. Takes a millisecond or a few.
///
/// Threads: any; allocations wait meanwhile.
void give_back_heap();

}  // namespace walcat

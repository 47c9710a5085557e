#pragma once

#include <memory>
#include <vector>

#include "lane.h"
#include "walcat/pipeline/pipeline.h"

namespace walcat {

/// What keeps a street from ending: the lanes whose readers have not left, or else `closing`, the name of the
/// threads that are waited for.
///
/// Threads: any, at any time; takes no lock.
std::vector<Hanging> what_hangs(const std::vector<std::unique_ptr<Lane>>& lanes, const char* closing);

}  // namespace walcat

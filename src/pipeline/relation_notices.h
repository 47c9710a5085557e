#pragma once

#include <functional>
#include <memory>
#include <string>

#include "walcat/base/log.h"
#include "walcat/model/relation.h"
#include "walcat/model/topics.h"
#include "walcat/serializer/options.h"

namespace walcat {

/// The topics of a run; null if its records have none.
std::shared_ptr<Topics> topics_of(const SerializerOptions& lines);

/// What is logged of a relation that the stream describes, once for each table: columns that are printed under another
/// name, and a topic that is another table's. `topics` may be null. Empty if there is nothing to look for.
///
/// Threads: stage-bound (decoder).
std::function<void(const Relation&, const std::string& database)> relation_notices(const SerializerOptions& lines,
                                                                                   const log::Logger& logger,
                                                                                   std::shared_ptr<Topics> topics);

}  // namespace walcat

#pragma once

#include <string>
#include <vector>

#include "walcat/model/relation.h"
#include "walcat/serializer/options.h"

namespace walcat {

/// The names that stand before the values of `relation`'s columns, in the columns' order.
///
/// They are the columns' own, but where `envelope` puts members of its own beside them (kRow): a column named like one
/// of those, whether the options print that one or not, has underscores after its name, as few as make it nobody
/// else's.
std::vector<std::string> printed_names(const Relation& relation, Envelope envelope);

}  // namespace walcat

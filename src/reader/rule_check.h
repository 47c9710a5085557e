#pragma once

#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/offsets/offset_file.h"
#include "walcat/postgres/connection.h"
#include "walcat/postgres/membership.h"
#include "walcat/postgres/server.h"
#include "walcat/reader/options.h"
#include "walcat/selection/rule_memory.h"

namespace walcat {

/// Tells `rules` as whose the rows of partitions come, or may.
void learn_parts(const std::vector<MemberTable>& members, RuleMemory& rules);

/// Whether the rules fit what is published now (of it `members` are the physical tables), and hide what they hid in
/// earlier runs, as `offset_file` remembers it.
///
/// Once a start, before the stream. Errors: kRefused naming each pattern that matches nothing, or the rule that is
/// lost.
Status check_rules(Connection& connection, const ServerIdentity& server, const DatabaseOptions& options,
                   const std::vector<MemberTable>& members, RuleMemory& rules, const OffsetFile& offset_file);

/// Puts what `rules` remembers into `offset`, and stores it if that is news: a rename after a crash must not go unseen.
Status keep_rules(const RuleMemory& rules, const OffsetFile& offset_file, Offset& offset);

}  // namespace walcat

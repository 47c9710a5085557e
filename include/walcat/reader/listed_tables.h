#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/model/followed_table.h"
#include "walcat/offsets/offset_file.h"
#include "walcat/postgres/membership.h"
#include "walcat/reader/options.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// The selection of a database; a dump of named tables prints those, whatever the configuration lists.
Result<std::shared_ptr<const Selection>> selection_of(const DatabaseOptions& options);

/// Their OIDs, for published_members(); none where nothing is known.
std::vector<std::uint32_t> oids_of(const std::optional<std::vector<FollowedTable>>& known);

/// Tells `selection` which of `members` stand for a listed table: itself, the partitions of a listed table, and under
/// whose name a listed partition's changes come.
void follow_listed(const std::vector<MemberTable>& members, const Selection& selection);

/// The same for the publication as the catalog has it now, where tables are listed.
Status find_listed(Connection& connection, const DatabaseOptions& options, const Selection& selection);

/// What is to be published of what the configuration lists. A table that an earlier session followed (`known`: its
/// offset; `was_followed`: in this run) and that is none any more (dropped, renamed, moved, a view in its place) is
/// left out with a warning; a new one is left for ensure_publication() to refuse. Nothing, if none is left.
Result<std::vector<TableName>> tables_to_publish(Connection& connection, const DatabaseOptions& options,
                                                 const std::optional<Offset>& known, bool was_followed,
                                                 const log::Logger& logger);

/// Whether a table that is dropped may have been a partition of one of `tables`: not if all of them are ordinary
/// tables.
Result<bool> may_have_partitions(Connection& connection, const std::vector<TableName>& tables);

/// Which tables the configuration lists, by their names as they are now, and those of `before` that are there still.
Result<std::vector<ListedTable>> find_tables(Connection& connection, const DatabaseOptions& options,
                                             const std::vector<ListedTable>& before);

/// Publishes what the configuration lists, as ensure_publication() does, and tells `selection` what stands for it; then
/// all that the publication publishes. `known`: of an earlier session, or run; `was_followed`: in this run.
Result<std::vector<MemberTable>> publish_tables(Connection& connection, const DatabaseOptions& options,
                                                const Selection& selection, const std::optional<Offset>& known,
                                                bool was_followed, const log::Logger& logger);

/// Says what the publication has and the list has not, and of which listed partition the changes come under another
/// name.
void tell_unlisted(const std::vector<MemberTable>& members, const DatabaseOptions& options, const Selection& selection,
                   const log::Logger& logger);

}  // namespace walcat

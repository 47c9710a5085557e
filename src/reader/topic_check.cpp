#include "topic_check.h"

namespace walcat {

Status check_topics(const DatabaseOptions& options, const Selection& selection, const std::string& database,
                    const std::vector<PublishedTable>& published, const log::Logger& logger) {
  if (options.topics == nullptr) return Status::ok();
  for (const PublishedTable& table : published) {
    Relation relation;
    relation.oid = table.oid;
    relation.schema = table.schema;
    relation.name = table.table;
    selection.apply(relation);
    if (!relation.is_wanted) continue;
    const Status entered = options.topics->enter(options.label, {database, table.schema, table.table});
    if (!entered.is_ok()) return entered;
  }
  const std::string surprises = options.topics->take_surprises();
  if (!surprises.empty()) logger.warning("topics: {}", surprises);
  return Status::ok();
}

}  // namespace walcat

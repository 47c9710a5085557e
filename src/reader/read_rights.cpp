#include "read_rights.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "walcat/base/shortened_list.h"

namespace walcat {

namespace {

// Tables that a message names, and schemas. Of more tables than that a statement names the schemas.
constexpr std::size_t kNamedMost = 20;

std::string grants(const std::set<TableName>& tables, const std::string& role) {
  std::set<std::string> schemas;
  std::vector<std::string> names;
  for (const TableName& table : tables) {
    schemas.insert(quote_identifier(table.schema));
    names.push_back(table.quoted());
  }
  const std::string in = shortened_list({schemas.begin(), schemas.end()}, ", ", kNamedMost);
  const std::string on =
      names.size() <= kNamedMost ? fmt::format("{}", fmt::join(names, ", ")) : "ALL TABLES IN SCHEMA " + in;
  return fmt::format("GRANT USAGE ON SCHEMA {} TO {}; GRANT SELECT ON {} TO {};", in, role, on, role);
}

}  // namespace

Status check_readable(const Connection& connection, std::span<const PublishedRelation> relations) {
  // One may be read under several names.
  std::set<TableName> unreadable;
  for (const PublishedRelation& published : relations) {
    for (const PhysicalTable& physical : published.tables) {
      if (!physical.may_read) unreadable.insert(physical.name);
    }
  }
  if (unreadable.empty()) return Status::ok();
  std::vector<std::string> names;
  for (const TableName& table : unreadable) names.push_back(table.to_string());
  const std::string which = names.size() == 1 ? "table" : fmt::format("{} tables:", names.size());
  return Status(StatusCode::kRefused, fmt::format("snapshot: no right to read {} {}; hint: {} or snapshot.mode: never",
                                                  which, shortened_list(names, ", ", kNamedMost),
                                                  grants(unreadable, quote_identifier(connection.user()))))
      .with_kind(FaultKind::kAuthentication);
}

}  // namespace walcat

#include "walcat/serializer/printed_names.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace walcat {

namespace {

constexpr std::array<std::string_view, 11> kRowMembers{"__op",    "__db",         "__schema",  "__table",
                                                       "__ts_ms", "__prefix",     "__content", "__transaction",
                                                       "__lsn",   "__commit_lsn", "__index"};

bool is_row_member(const std::string& name) {
  return std::find(kRowMembers.begin(), kRowMembers.end(), name) != kRowMembers.end();
}

}  // namespace

std::vector<std::string> printed_names(const Relation& relation, Envelope envelope) {
  std::vector<std::string> names;
  for (const Column& column : relation.columns) names.push_back(column.name);
  if (envelope != Envelope::kRow) return names;
  for (std::string& name : names) {
    if (!is_row_member(name)) continue;
    while (is_row_member(name) || std::count(names.begin(), names.end(), name) > 1) name += '_';
  }
  return names;
}

}  // namespace walcat

#include "member_rows.h"

#include <fmt/format.h>

#include <cstddef>
#include <utility>

#include "walcat/base/printable.h"

namespace walcat {

namespace {

using MemberRow = MemberRows::Row;

// No schema has as many levels of partitions; a table that were its own partition would have them without end.
constexpr std::size_t kLevelsMost = 32;
constexpr std::size_t kNameShownMost = 200;

// A physical table, from its own row up.
class MemberReader {
 public:
  // Takes the rows of one table, from level 0 up; `at` moves to where the next one's begin.
  Status read(const std::vector<MemberRow>& rows, std::size_t& at) {
    const std::size_t from = at;
    const std::uint32_t leaf = std::get<0>(rows[from]);
    for (; at < rows.size() && std::get<0>(rows[at]) == leaf; ++at) {
      if (at - from == kLevelsMost) {
        return misfit(fmt::format("table {} (OID {}) has more than {} partitioned tables above it",
                                  printable(member_.table.name.to_string(), kNameShownMost), leaf, kLevelsMost - 1));
      }
      climb(rows[at]);
    }
    member_.was_attached = !steps_are_whole_;
    // Of a table that is not permanent nothing is published.
    const auto& form = std::get<16>(rows[from]);
    if (ways_.empty() || !form) return Status::ok();
    member_.membership = *form;
    for (const std::string& way : ways_) member_.membership += " " + way + as_;
    return Status::ok();
  }

  MemberTable take() { return std::move(member_); }

 private:
  void climb(const MemberRow& row) {
    const auto& [leaf, oid, schema, name, via_root, by_all, by_schema, by_itself, edge, all_is_older, schema_is_older,
                 itself_is_older, edge_is_whole, has_first_file, was_renamed, has_key, form] = row;
    const NamedTable table{oid, {schema, name}};
    const bool is_leaf = leaf == oid;
    if (is_leaf) {
      member_.table = member_.as = table;
      has_first_file_ = has_first_file;
      member_.has_key = has_key;
    } else {
      member_.ancestors.push_back(table);
      steps_ = "/" + (edge ? std::to_string(*edge) : "") + steps_;
      steps_are_whole_ = steps_are_whole_ && edge_is_whole.value_or(false);
    }
    member_.was_renamed = member_.was_renamed || was_renamed.value_or(false);
    // A publication of all tables publishes each by itself, whatever it is attached to.
    if (by_all && is_leaf) add(*by_all, all_is_older);
    if (by_schema) add(*by_schema, schema_is_older);
    if (by_itself) add(*by_itself, itself_is_older);
    if (is_leaf || !via_root.value_or(false) || !(by_all || by_schema || by_itself)) return;
    member_.as = table;
    member_.has_key = has_key;
    as_ = fmt::format("@{}", oid);
  }

  void add(const std::string& way, const std::optional<bool>& is_older) {
    ways_.push_back(way + steps_);
    member_.is_whole = member_.is_whole || (is_older.value_or(false) && has_first_file_ && steps_are_whole_);
  }

  MemberTable member_;
  std::vector<std::string> ways_;
  std::string steps_;
  std::string as_;
  bool steps_are_whole_ = true;
  bool has_first_file_ = false;
};

}  // namespace

Result<std::vector<MemberTable>> read_members(const std::vector<MemberRow>& rows) {
  std::vector<MemberTable> members;
  for (std::size_t at = 0; at < rows.size();) {
    MemberReader reader;
    if (const Status fits = reader.read(rows, at); !fits.is_ok()) return fits;
    members.push_back(reader.take());
  }
  return members;
}

}  // namespace walcat

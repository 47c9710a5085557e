#include "published_tables.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>

#include "walcat/base/utf8.h"

namespace walcat {

namespace {

// Without the name that changes come under, as another name leaves none out; and without what is published of all.
std::set<std::string> ways_of(const std::string& membership) {
  std::istringstream words(membership);
  std::set<std::string> ways;
  for (std::string way; words >> way;) {
    if (!way.starts_with('o')) ways.insert(way.substr(0, way.find('@')));
  }
  return ways;
}

// What a publication publishes, as a membership begins with it.
struct PublishedForm {
  std::string version;
  std::string operations;
  std::string rest;
};

std::optional<PublishedForm> form_of(const std::string& membership) {
  if (!membership.starts_with('o')) return std::nullopt;
  std::istringstream words(membership.substr(1, membership.find(' ') - 1));
  PublishedForm form;
  std::getline(words, form.version, '.');
  std::getline(words, form.operations, '.');
  std::getline(words, form.rest);
  return form;
}

std::string only_in(const std::string& one, const std::string& other) {
  std::string left;
  std::copy_if(one.begin(), one.end(), std::back_inserter(left),
               [&](char c) { return other.find(c) == std::string::npos; });
  return left;
}

// The operations that may not have been published all the time; of a publication that was altered and shows no other
// reason for it, all may have been switched off and on.
std::string missed_operations(const PublishedForm& before, const PublishedForm& now) {
  if (before.version == now.version) return "";
  const bool is_explained = before.operations != now.operations || before.rest != now.rest;
  return is_explained ? only_in(now.operations, before.operations) : now.operations;
}

// The offset file holds names as UTF-8.
bool is_same(const TableName& one, const TableName& other) {
  return with_replacements(one.schema) == with_replacements(other.schema) &&
         with_replacements(one.table) == with_replacements(other.table);
}

// A table is published by the way it was before, or has been away.
bool is_uninterrupted(const std::string& before, const std::string& now) {
  if (before == now) return true;
  const auto ways = ways_of(before);
  const auto still = ways_of(now);
  return std::any_of(ways.begin(), ways.end(), [&](const std::string& way) { return still.contains(way); });
}

// Before the membership of a table whose changes another session is to bring.
constexpr char kAwaited = '?';

bool is_awaited(const FollowedTable& table) { return table.membership.starts_with(kAwaited); }

class Review {
 public:
  Review(const std::vector<FollowedTable>& known, const std::vector<MemberTable>& now, const TableRules& rules,
         Lsn position)
      : now_(now), rules_(rules), position_(position) {
    for (const FollowedTable& table : known) known_.emplace(table.oid, table);
    for (const MemberTable& member : now) names_.emplace(member.table.oid, &member.table.name);
    for (const FollowedTable& table : known) {
      // Of a name that two tables have had, the one that has it no more was replaced.
      const auto there = names_.find(table.oid);
      if (there == names_.end() || !is_same(*there->second, table.name)) former_.emplace(table.name, table);
    }
  }

  TableReview take() {
    for (const MemberTable& member : now_) {
      const auto known = known_.find(member.table.oid);
      if (known == known_.end() || is_awaited(known->second)) {
        meet(member, known == known_.end() ? nullptr : &known->second);
      } else {
        compare(member, known->second);
      }
    }
    for (const auto& [oid, table] : known_) {
      if (!names_.contains(oid) && !replaced_.contains(oid)) note_dropped(table);
    }
    return std::move(review_);
  }

 private:
  void meet(const MemberTable& member, const FollowedTable* awaited) {
    if (member.membership.empty() || !rules_.wants(member.as)) return;
    if (member.was_attached && rules_.blind_since) {
      const std::string mark = kAwaited + member.membership;
      const Lsn since = awaited != nullptr && awaited->membership == mark ? awaited->since : position_;
      if (since > *rules_.blind_since) {
        review_.needs_session = true;
        review_.known.push_back({member.table.oid, member.table.name, mark, since});
        return;
      }
    }
    TableFinding finding;
    finding.now = member;
    finding.lacks_rows = !member.is_whole || (rules_.by_name && (member.was_renamed || member.was_attached));
    if (const auto former = former_.find(member.table.name); former != former_.end()) {
      finding.kind = TableFinding::Kind::kReplaced;
      finding.before = former->second;
      replaced_.insert(former->second.oid);
    }
    if (finding.lacks_rows || finding.kind == TableFinding::Kind::kReplaced) review_.findings.push_back(finding);
    keep(member, member.table.name, position_);
  }

  void compare(const MemberTable& member, const FollowedTable& known) {
    if (!rules_.wants(member.as)) {
      const bool was_wanted = rules_.by_name && rules_.wants({0, known.name});
      if (was_wanted && !is_same(member.table.name, known.name))
        note(TableFinding::Kind::kRenamedAway, member, known, false);
      return;
    }
    if (!is_same(member.table.name, known.name)) note(TableFinding::Kind::kRenamed, member, known, false);
    const TableName& name = rules_.lists(known.name) ? known.name : member.table.name;
    if (member.membership.empty()) {
      if (!known.membership.empty()) note(TableFinding::Kind::kLeft, member, known, false);
      keep(member, name, known.membership.empty() ? known.since : position_);
    } else if (is_uninterrupted(known.membership, member.membership)) {
      keep(member, name, compare_forms(member, known) ? position_ : known.since);
    } else {
      note(TableFinding::Kind::kCameBack, member, known, true);
      keep(member, name, position_);
    }
  }

  // Whether the publication publishes other operations than it did, or may have done so.
  bool compare_forms(const MemberTable& member, const FollowedTable& known) {
    const auto before = form_of(known.membership);
    const auto now = form_of(member.membership);
    if (!before || !now) return false;
    const std::string missed = missed_operations(*before, *now);
    const std::string lost = only_in(before->operations, now->operations);
    if (!missed.empty()) note(TableFinding::Kind::kMissed, member, known, true, missed);
    if (!lost.empty()) note(TableFinding::Kind::kLessened, member, known, false, lost);
    return !missed.empty() || !lost.empty();
  }

  void note_dropped(const FollowedTable& table) {
    MemberTable gone;
    gone.table = gone.as = {table.oid, table.name};
    note(TableFinding::Kind::kDropped, gone, table, false);
  }

  void note(TableFinding::Kind kind, const MemberTable& member, const FollowedTable& known, bool lacks_rows,
            const std::string& operations = "") {
    review_.findings.push_back({kind, member, known, lacks_rows, operations});
  }

  void keep(const MemberTable& member, const TableName& name, Lsn since) {
    review_.known.push_back({member.table.oid, name, member.membership, since});
  }

  const std::vector<MemberTable>& now_;
  const TableRules& rules_;
  const Lsn position_;
  std::map<std::uint32_t, FollowedTable> known_;
  std::unordered_map<std::uint32_t, const TableName*> names_;
  std::map<TableName, FollowedTable> former_;
  std::set<std::uint32_t> replaced_;
  TableReview review_;
};

}  // namespace

TableReview review_tables(const std::vector<FollowedTable>& known, const std::vector<MemberTable>& now,
                          const TableRules& rules, Lsn position) {
  return Review(known, now, rules, position).take();
}

}  // namespace walcat

#include "walcat/reader/table_look.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "finding_report.h"
#include "published_tables.h"
#include "walcat/base/postgres_time.h"
#include "walcat/postgres/server.h"

namespace walcat {

namespace {

using Kind = TableFinding::Kind;

// From here on the server's stream takes note of a table that is attached, as of every change of its row.
constexpr int kVersionWithTidings = 150000;

TableRules rules_of(const DatabaseOptions& options, const Selection& selection) {
  TableRules rules;
  rules.wants = [&selection](const NamedTable& table) { return selection.wants(table.oid, table.name); };
  rules.lists = [&selection](const TableName& name) { return selection.lists(name); };
  rules.by_name =
      selection.has_list() || !options.selection.include_tables.empty() || !options.selection.exclude_tables.empty();
  return rules;
}

// Why the table's rows can't be read between the changes; empty: they can.
std::string obstacle(const TableFinding& finding, const DatabaseOptions& options, int server_version) {
  const bool reads_rows = options.snapshot.mode != SnapshotOptions::Mode::kNever &&
                          options.snapshot.mode != SnapshotOptions::Mode::kInitialOnly;
  if (!reads_rows) return "snapshot.mode reads none";
  if (server_version < kVersionWithMessages) return "that needs PostgreSQL 14";
  // Of a table that has entered, who is to read it says so.
  return finding.now.has_key || finding.kind == Kind::kEntered
             ? ""
             : "without a primary key they can't be told from what changes meanwhile";
}

}  // namespace

std::vector<FollowedTable> TableLook::learn(const TableView& view) const {
  return review_tables({}, view.members, rules_of(options_, selection_), view.position).known;
}

Status TableLook::check(const std::vector<FollowedTable>& known, const TableView& view) const {
  if (options_.on_gap == OnGap::kContinue) return Status::ok();
  const TableReview review = review_tables(known, view.members, rules_of(options_, selection_), view.position);
  for (const TableFinding& finding : review.findings) {
    if (finding.kind != Kind::kCameBack && finding.kind != Kind::kMissed) continue;
    const std::string why = obstacle(finding, options_, view.server_version);
    if (why.empty()) continue;
    const std::string what = describe_gap(finding, options_.publication_name, view.position);
    return Status(StatusCode::kGap, fmt::format("{}, and its rows can't be read anew: {}", what, why))
        .with_kind(FaultKind::kSlot);
  }
  return Status::ok();
}

TableNews TableLook::note(const std::vector<FollowedTable>& known, const TableView& view, Lsn began, bool reads_all) {
  TableRules rules = rules_of(options_, selection_);
  if (view.server_version < kVersionWithTidings && !reads_all) rules.blind_since = began;
  TableReview review = review_tables(known, view.members, rules, view.position);
  std::set<TableName> to_read;
  std::vector<std::uint32_t> parts;
  FindingReport report({options_.publication_name, selection_, view.position});
  for (const TableFinding& finding : review.findings) {
    if (finding.kind == Kind::kRenamed && !told_.insert(finding.now.table.oid).second) continue;
    const std::string why =
        finding.lacks_rows && !reads_all ? obstacle(finding, options_, view.server_version) : std::string();
    const bool is_read = finding.lacks_rows && !reads_all && why.empty();
    if (is_read) {
      to_read.insert(finding.now.as.name);
      parts.push_back(finding.now.table.oid);
    }
    const auto rows = !finding.lacks_rows ? RowsFate::kComplete
                      : reads_all         ? RowsFate::kReadAnyway
                      : is_read           ? RowsFate::kRead
                                          : RowsFate::kMissing;
    report.add(finding, rows, why);
  }
  report.write(logger_);
  TableNews news{std::move(review.known), std::nullopt, review.needs_session};
  if (to_read.empty()) return news;
  news.snapshot.emplace();
  news.snapshot->id = fmt::format("added-{}", postgres_now_micros());
  news.snapshot->is_added = true;
  news.snapshot->tables.assign(to_read.begin(), to_read.end());
  news.snapshot->parts = std::move(parts);
  return news;
}

std::optional<IncrementalSnapshot> TableLook::update(Offset& offset, const TableView& view, bool reads_all,
                                                     bool is_first) {
  if (!offset.published) {
    offset.published = learn(view);
    return std::nullopt;
  }
  TableNews news = note(*offset.published, view, offset.done.position, reads_all);
  offset.published = std::move(news.known);
  if (!news.snapshot || !is_first) return news.snapshot;
  for (const IncrementalSnapshot& other : offset.incremental) {
    if (!other.is_added || !other.part.table.empty() || !other.parts.empty()) continue;
    std::erase_if(news.snapshot->tables, [&](const TableName& table) {
      return std::find(other.tables.begin(), other.tables.end(), table) != other.tables.end();
    });
  }
  if (news.snapshot->tables.empty()) return std::nullopt;
  offset.incremental.push_back(*news.snapshot);
  return news.snapshot;
}

}  // namespace walcat

#include "walcat/reader/table_look.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

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

std::string describe_return(const TableFinding& finding, const DatabaseOptions& options, Lsn position) {
  return fmt::format(
      "table {} has left publication {} and come back, or is published otherwise: changes of it may be missing from {} "
      "to {}",
      finding.now.table.name.to_string(), options.publication_name, finding.before.since.to_string(),
      position.to_string());
}

// `iud` as "inserts, updates and deletes".
std::string operation_names(const std::string& operations) {
  std::string text;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (i > 0) text += i + 1 < operations.size() ? ", " : " and ";
    const char kind = operations[i];
    text += kind == 'i' ? "inserts" : kind == 'u' ? "updates" : kind == 'd' ? "deletes" : "truncates";
  }
  return text;
}

std::string describe_missed(const TableFinding& finding, const DatabaseOptions& options, Lsn position) {
  return fmt::format(
      "publication {} did not publish {} of table {} for a while, or may not have (ALTER PUBLICATION .. SET): changes "
      "of "
      "it may be missing from {} to {}",
      options.publication_name, operation_names(finding.operations), finding.now.table.name.to_string(),
      finding.before.since.to_string(), position.to_string());
}

// One line a finding; `rows` says what becomes of the table's rows.
std::string describe(const TableFinding& finding, const std::string& rows, const DatabaseOptions& options,
                     const Selection& selection, Lsn position) {
  const std::string name = finding.now.table.name.to_string();
  const std::string before = finding.before.name.to_string();
  const std::string& publication = options.publication_name;
  switch (finding.kind) {
    case Kind::kEntered: return fmt::format("table {} has come into publication {}; {}", name, publication, rows);
    case Kind::kReplaced:
      return fmt::format(
          "table {} is another one now (OID {}, was {}): rows of the old one are gone without deletes{}{}", name,
          finding.now.table.oid, finding.before.oid, finding.lacks_rows ? "; " : "", rows);
    case Kind::kCameBack:
      return fmt::format("{}; {}; deletes show in no rows", describe_return(finding, options, position), rows);
    case Kind::kMissed:
      return fmt::format("{}; {}; deletes show in no rows", describe_missed(finding, options, position), rows);
    case Kind::kLessened:
      return fmt::format("publication {} publishes no {} any more: those of {} do not come since some moment after {}",
                         publication, operation_names(finding.operations), name, finding.before.since.to_string());
    case Kind::kLeft:
      return fmt::format("table {} has left publication {}: its changes since some moment after {} do not come", name,
                         publication, finding.before.since.to_string());
    case Kind::kDropped:
      return fmt::format("table {} was dropped{}", name,
                         selection.lists(finding.before.name)
                             ? fmt::format("; hint: one that is made anew is followed from the next start on, or once "
                                           "ALTER PUBLICATION {} ADD TABLE {} is run",
                                           quote_identifier(publication), finding.before.name.quoted())
                             : "");
    case Kind::kRenamed: return fmt::format("table {} is {} now; its changes are printed", before, name);
    case Kind::kRenamedAway:
      return fmt::format("table {} is {} now, which the configuration leaves out: its changes are printed no more",
                         before, name);
  }
  return "";
}

// What loses nothing is no warning.
bool is_harmless(const TableFinding& finding, bool is_missing, const Selection& selection) {
  return (finding.kind == Kind::kEntered && !is_missing) ||
         (finding.kind == Kind::kDropped && !selection.lists(finding.before.name));
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
    const std::string what = finding.kind == Kind::kMissed ? describe_missed(finding, options_, view.position)
                                                           : describe_return(finding, options_, view.position);
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
  for (const TableFinding& finding : review.findings) {
    if (finding.kind == Kind::kRenamed && !told_.insert(finding.now.table.oid).second) continue;
    std::string rows;
    bool is_missing = false;
    if (finding.lacks_rows && reads_all) {
      rows = "all rows are read anyway";
    } else if (finding.lacks_rows) {
      const std::string why = obstacle(finding, options_, view.server_version);
      rows = why.empty() ? "reading its rows between the changes"
                         : fmt::format(
                               "rows that it had before are not printed: {}; hint: walcat snapshot --dump "
                               "--tables {} prints them",
                               why, finding.now.as.name.to_string());
      is_missing = !why.empty();
      if (!is_missing) {
        to_read.insert(finding.now.as.name);
        parts.push_back(finding.now.table.oid);
      }
    }
    log::write(is_harmless(finding, is_missing, selection_) ? log::Level::kInfo : log::Level::kWarning,
               logger_.database(), describe(finding, rows, options_, selection_, view.position), "a look at the tables");
  }
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

#include "finding_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "walcat/base/shortened_list.h"
#include "walcat/model/table_name.h"

namespace walcat {

namespace {

using Kind = TableFinding::Kind;

// As many findings alike have a line each.
constexpr std::size_t kLinesMost = 3;
constexpr std::size_t kNamedMost = 10;

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

// `as`: the table that is to be named to a dump.
std::string describe_rows(RowsFate rows, const std::string& why, bool is_one, const std::string& as) {
  switch (rows) {
    case RowsFate::kComplete: return "";
    case RowsFate::kReadAnyway: return "all rows are read anyway";
    case RowsFate::kRead: return fmt::format("reading {} rows between the changes", is_one ? "its" : "their");
    case RowsFate::kMissing:
      return fmt::format(
          "rows that {} had before are not printed: {}; hint: walcat snapshot --dump --tables {} prints them",
          is_one ? "it" : "they", why, as);
  }
  return "";
}

// What loses nothing is no warning.
bool is_harmless(Kind kind, RowsFate rows, bool is_listed) {
  return (kind == Kind::kEntered && rows != RowsFate::kMissing) || (kind == Kind::kDropped && !is_listed);
}

// A finding as one of a list.
std::string in_list(const TableFinding& finding) {
  const std::string name = finding.now.table.name.to_string();
  const bool is_renamed = finding.kind == Kind::kRenamed || finding.kind == Kind::kRenamedAway;
  return is_renamed ? fmt::format("{} is {}", finding.before.name.to_string(), name) : name;
}

}  // namespace

std::string describe_gap(const TableFinding& finding, const std::string& publication, Lsn position) {
  const std::string name = finding.now.table.name.to_string();
  const std::string since = finding.before.since.to_string();
  if (finding.kind == Kind::kMissed) {
    return fmt::format(
        "publication {} did not publish {} of table {} for a while, or may not have (ALTER PUBLICATION .. SET): "
        "changes "
        "of it may be missing from {} to {}",
        publication, operation_names(finding.operations), name, since, position.to_string());
  }
  return fmt::format(
      "table {} has left publication {} and come back, or is published otherwise: changes of it may be missing from {} "
      "to {}",
      name, publication, since, position.to_string());
}

void FindingReport::add(const TableFinding& finding, RowsFate rows, const std::string& why) {
  const bool is_listed = view_.selection.lists(finding.before.name);
  groups_[{finding.kind, rows, why, finding.operations, is_listed}].push_back(&finding);
}

void FindingReport::write(const log::Logger& logger) const {
  for (const auto& [group, findings] : groups_) {
    const auto level = is_harmless(group.kind, group.rows, group.is_listed) ? log::Level::kInfo : log::Level::kWarning;
    const auto say = [&](const std::string& text) {
      log::write(level, logger.database(), text, "a look at the tables");
    };
    if (findings.size() > kLinesMost) {
      say(describe(group, findings));
      continue;
    }
    for (const TableFinding* finding : findings) say(describe(group, *finding));
  }
}

std::string FindingReport::describe(const Group& group, const TableFinding& finding) const {
  const std::string name = finding.now.table.name.to_string();
  const std::string before = finding.before.name.to_string();
  const std::string& publication = view_.publication;
  const std::string rows = describe_rows(group.rows, group.why, true, finding.now.as.name.to_string());
  switch (finding.kind) {
    case Kind::kEntered: return fmt::format("table {} has come into publication {}; {}", name, publication, rows);
    case Kind::kReplaced:
      return fmt::format(
          "table {} is another one now (OID {}, was {}): rows of the old one are gone without deletes{}{}", name,
          finding.now.table.oid, finding.before.oid, rows.empty() ? "" : "; ", rows);
    case Kind::kCameBack:
    case Kind::kMissed:
      return fmt::format("{}; {}; deletes show in no rows", describe_gap(finding, publication, view_.position), rows);
    case Kind::kLessened:
      return fmt::format("publication {} publishes no {} any more: those of {} do not come since some moment after {}",
                         publication, operation_names(finding.operations), name, finding.before.since.to_string());
    case Kind::kLeft:
      return fmt::format("table {} has left publication {}: its changes since some moment after {} do not come", name,
                         publication, finding.before.since.to_string());
    case Kind::kDropped:
      return fmt::format("table {} was dropped{}", name,
                         group.is_listed
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

std::string FindingReport::describe(const Group& group, const Findings& findings) const {
  std::vector<std::string> tables;
  Lsn since = findings.front()->before.since;
  for (const TableFinding* finding : findings) {
    tables.push_back(in_list(*finding));
    since = std::min(since, finding->before.since);
  }
  const std::size_t named = log::enabled(log::Level::kDebug) ? std::numeric_limits<std::size_t>::max() : kNamedMost;
  const std::string names = shortened_list(tables, ", ", named);
  const std::size_t count = tables.size();
  const std::string& publication = view_.publication;
  const std::string rows = describe_rows(group.rows, group.why, false, "..");
  const std::string behind = rows.empty() ? "" : "; " + rows;
  switch (group.kind) {
    case Kind::kEntered:
      return fmt::format("{} tables have come into publication {}: {}{}", count, publication, names, behind);
    case Kind::kReplaced:
      return fmt::format("{} tables are other ones now, rows of the old ones are gone without deletes: {}{}", count,
                         names, behind);
    case Kind::kCameBack:
      return fmt::format(
          "{} tables have left publication {} and come back, or are published otherwise, changes of them may be "
          "missing from {} to {}: {}{}; deletes show in no rows",
          count, publication, since.to_string(), view_.position.to_string(), names, behind);
    case Kind::kMissed:
      return fmt::format(
          "publication {} did not publish {} of {} tables for a while, or may not have (ALTER PUBLICATION .. SET), "
          "changes of them may be missing from {} to {}: {}{}; deletes show in no rows",
          publication, operation_names(group.operations), count, since.to_string(), view_.position.to_string(), names,
          behind);
    case Kind::kLessened:
      return fmt::format(
          "publication {} publishes no {} any more, those of {} tables do not come since some moment after {}: {}",
          publication, operation_names(group.operations), count, since.to_string(), names);
    case Kind::kLeft:
      return fmt::format("{} tables have left publication {}, their changes since some moment after {} do not come: {}",
                         count, publication, since.to_string(), names);
    case Kind::kDropped:
      return fmt::format("{} tables were dropped: {}{}", count, names,
                         group.is_listed ? fmt::format("; hint: those that are made anew are followed from the next "
                                                       "start on, or once ALTER PUBLICATION {} ADD TABLE .. is run",
                                                       quote_identifier(publication))
                                         : "");
    case Kind::kRenamed:
      return fmt::format("{} tables have other names now, their changes are printed: {}", count, names);
    case Kind::kRenamedAway:
      return fmt::format(
          "{} tables have other names now, which the configuration leaves out, their changes are printed no more: {}",
          count, names);
  }
  return "";
}

}  // namespace walcat

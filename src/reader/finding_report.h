#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "published_tables.h"
#include "walcat/base/log.h"
#include "walcat/base/lsn.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// Of a table that came back, or of which operations were missed: which changes may be missing.
std::string describe_gap(const TableFinding& finding, const std::string& publication, Lsn position);

/// What becomes of the rows that a table has.
enum class RowsFate {
  kComplete,    ///< None of them is missing.
  kReadAnyway,  ///< All rows are about to be read.
  kRead,        ///< They are read between the changes.
  kMissing,     ///< They are not printed.
};

/// Says in the log what a look at a publication has found.
///
/// One act of somebody may concern thousands of tables: findings of one kind, with one consequence, are a line each
/// while they are few, and one line together otherwise, which names some of the tables; at level debug, all of them.
class FindingReport {
 public:
  struct View {
    const std::string& publication;
    const Selection& selection;
    /// Where the server's log ended before the look.
    Lsn position;
  };
  /// Borrows what `view` refers to.
  explicit FindingReport(const View& view) : view_(view) {}

  /// `why`: of rows that are missing, why they are not read. Borrows `finding` until write().
  void add(const TableFinding& finding, RowsFate rows, const std::string& why);
  /// Says it all.
  void write(const log::Logger& logger) const;

 private:
  /// What findings of one line have in common.
  struct Group {
    TableFinding::Kind kind;
    RowsFate rows;
    std::string why;
    std::string operations;
    /// Whether the configuration lists the tables, by the names that they had.
    bool is_listed;

    auto operator<=>(const Group&) const = default;
  };
  using Findings = std::vector<const TableFinding*>;

  std::string describe(const Group& group, const TableFinding& finding) const;
  std::string describe(const Group& group, const Findings& findings) const;

  const View view_;
  std::map<Group, Findings> groups_;
};

}  // namespace walcat

#pragma once

#include <string>
#include <vector>

#include "walcat/base/status.h"
#include "walcat/model/table_name.h"
#include "walcat/postgres/connection.h"

namespace walcat {

/// A statement that makes a publication, or adds tables to one.
struct PublicationStatement {
  std::string publication;
  /// Those that are made members; empty: all there are.
  std::vector<TableName> tables;
  bool is_new = true;

  /// As SQL, names quoted. Of more than `most` tables the rest is left out, and a comment counts them.
  std::string sql(std::size_t most) const;
  /// As SQL, whole.
  std::string sql() const { return sql(tables.size()); }
};

/// What a server refused for want of rights: all rights that are missing, by name, and the statement that somebody else
/// can run.
///
/// Asks the catalog, so the answer does not depend on the language or the order in which the server complains.
/// `refused`: what the server said; returned as it is where it was about something else, or the catalog shows nothing.
Status explain_missing_rights(Connection& connection, const PublicationStatement& statement, const Status& refused);

}  // namespace walcat

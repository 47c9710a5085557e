#pragma once

#include <string>

#include "walcat/base/status.h"
#include "walcat/postgres/connection.h"

namespace walcat {

// Who plans a query on a table runs code of the table's owner: PostgreSQL evaluates calls of IMMUTABLE functions with
// constant arguments in index expressions and predicates, extended statistics, CHECK constraints and partition keys,
// and what these functions call may be VOLATILE. Here it runs as walcat's role. It can change the session's settings
// (set_config), among them search_path, row_security and the role, and take advisory locks of the session.
//
// So each statement that reads a user's table, or is planned on one, stands in a READ ONLY transaction that is rolled
// back, and where the tables of one transaction may have several owners, behind a savepoint that is returned to. With
// that all of it goes but the locks, which are let go before, while the transaction still holds the table's: a session
// that holds such a lock vouches for nothing (Vouchers). READ ONLY keeps rows from being written; a transaction cannot
// become anything else once it has a snapshot.

/// Begins what may be planned on one owner's table. Within a transaction; the table is locked before.
Status begin_owners_code(Connection& connection);

/// Makes the session what it was at begin_owners_code(), which holds on, so that the next table can be read.
///
/// Errors: the transaction has failed, or the connection broke: the session is not to be used any more.
Status undo_owners_code(Connection& connection);

/// The same after a statement has failed: the transaction goes on as if it had not been run.
Status undo_failed_owners_code(Connection& connection);

/// A condition of a query whose tables may have several owners, as partitions do, and tables that a user's condition
/// names: true, and where it is one, values print as walcat's sessions have it, whatever was run while the query was
/// planned. Names are found under every search_path.
std::string values_print_as_pinned();

/// Options of a COPY TO, by which its rows come in the session's encoding, whatever was run while it was planned.
std::string pinned_encoding(const Connection& connection);

/// Ends a transaction that begin_snapshot() began, and makes the session what it was before.
///
/// Errors: as of undo_owners_code().
Status end_snapshot(Connection& connection);

}  // namespace walcat

#pragma once

#include <string>
#include <string_view>

namespace walcat {

/// When two rows of a table never have the same key.
enum class KeyHolds {
  kAlways,    ///< In the middle of a transaction too.
  kAtCommit,  ///< A deferrable constraint will do.
};

/// SQL for the OID of the index whose columns tell a table's rows apart; null if there is none.
///
/// It is that of the replica identity, else of the primary key, else the oldest unique one. All rows stand in it, by
/// values that are never null: an index over expressions, of a part of the rows, or over a column that may be null
/// tells nothing apart. `table`: SQL for the table's OID.
std::string key_index(std::string_view table, KeyHolds holds, int server_version);

/// SQL for the number of the key's columns of pg_index `index`: those that it only includes come after them.
std::string key_size(std::string_view index, int server_version);

/// SQL for whether pgoutput takes pg_index `index` for the replica identity of pg_class `table`.
std::string is_identity(std::string_view index, std::string_view table);

}  // namespace walcat

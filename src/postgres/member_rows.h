#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "walcat/postgres/answer.h"
#include "walcat/postgres/membership.h"

namespace walcat {

/// What published_members() asks for: each physical table, and behind it the tables above it, from its own row up.
///
/// There are three ways by which a table may be published, and whether each is older than the table; null where it is
/// not published so.
using MemberRows = TypedRows<std::uint32_t,                 // leaf
                             std::uint32_t,                 // oid: the leaf's, or that of a table above it
                             std::string,                   // schema
                             std::string,                   // name
                             std::optional<bool>,           // via_root
                             std::optional<std::string>,    // by_all
                             std::optional<std::string>,    // by_schema
                             std::optional<std::string>,    // by_itself
                             std::optional<std::uint32_t>,  // edge
                             std::optional<bool>,           // all_is_older
                             std::optional<bool>,           // schema_is_older
                             std::optional<bool>,           // itself_is_older
                             std::optional<bool>,           // edge_is_whole
                             bool,                          // has_first_file
                             std::optional<bool>,           // was_renamed
                             bool,                          // has_key
                             std::optional<std::string>     // form
                             >;

/// The tables of these rows.
///
/// Errors: kProtocolError for a table with more tables above it than any has.
Result<std::vector<MemberTable>> read_members(const std::vector<MemberRows::Row>& rows);

}  // namespace walcat

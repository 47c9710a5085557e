#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "secrets.h"
#include "walcat/base/status.h"

namespace walcat {

/// What libpq says, which may be nothing.
std::string text_or_empty(const char* text);

/// `text` in `most` characters, with `..` where that cuts it: a server may say as much as it likes.
std::string shortened(const char* text, std::size_t most);

/// What a server says to `connection`, or libpq of it, as it may be shown: without what the connection keeps secret,
/// and in `most` characters.
std::string words(const char* text, const PGconn* connection, std::size_t most);

/// The status for a failed result: the server's words, SQLSTATE, and a way out where we know one.
Status result_error(const PGresult* result, const PGconn* connection);

/// The status for a failed connection attempt or a broken connection.
///
/// libpq gives no SQLSTATE then; under verbose errors it stands in the text after the severity.
/// `secrets`: those of all hosts that the words may be of; `whom`: how libpq's words begin, if it has forgotten that.
Status connection_error(const PGconn* connection, const Secrets& secrets, std::string_view whom = {});
inline Status connection_error(const PGconn* connection) { return connection_error(connection, Secrets(connection)); }

}  // namespace walcat

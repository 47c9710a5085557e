#pragma once

#include <libpq-fe.h>

#include <string>

#include "walcat/base/status.h"

namespace walcat {

/// Refuses a connection string in which libpq would take a part of a password for something that it looks up, sends and
/// quotes: a host, a port, a database.
///
/// In a URI that is an `@` or a `/` of the password that is not percent-encoded; elsewhere a whole connection string
/// where a name belongs. `given`: what libpq reads in the string; `defaults`: what it takes from the environment.
/// Errors: kConfiguration, in words that hold nothing of the string.
Status check_no_password_is_misread(const std::string& conn_str, const PQconninfoOption* given,
                                    const PQconninfoOption* defaults);

/// A hint for a string that libpq can't read, which may be a password's fault; empty where it holds none.
std::string way_to_write_passwords(const std::string& conn_str);

}  // namespace walcat

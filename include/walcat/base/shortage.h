#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <system_error>

#include "walcat/base/status.h"

namespace walcat {

/// Whether `error` tells that the machine refuses something: memory, threads, descriptors, room on a disk. All else
/// that is thrown is a bug of ours.
bool is_shortage(const std::exception& error);

/// What `error`, which ended the work of `who` ("serializer"), means.
///
/// kRefused for memory, which the next attempt needs as well; kUnavailable for what else is short, which may be had
/// later; both with the limits in force and the way out. Else kInternal.
Status status_of(const std::exception& error, std::string_view who);

/// Why the thread `who` could not be made, with the limits in force: kUnavailable.
Status no_thread(std::string_view who, const std::system_error& refusal);

}  // namespace walcat

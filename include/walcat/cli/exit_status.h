#pragma once

#include "walcat/base/status.h"

namespace walcat {

/// What the process tells its caller; the numbers are those of sysexits.h.
enum class ExitStatus {
  kDone = 0,            ///< The bound was reached, or a stop was asked for.
  kUsage = 64,          ///< The command line is wrong.
  kUnavailable = 69,    ///< Every database failed for good.
  kInternal = 70,       ///< Our own bug.
  kShortage = 71,       ///< The system refuses what walcat can't do without: threads, memory, descriptors.
  kOutputFailed = 74,   ///< The output accepts no more: closed pipe, full disk.
  kNotYet = 75,         ///< What was waited for has not come; it may still. Or it hung, and was left.
  kConfiguration = 78,  ///< The configuration is wrong.
};

/// The exit status of a run that ended with `code`.
constexpr ExitStatus exit_status(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
    case StatusCode::kStopped: return ExitStatus::kDone;
    case StatusCode::kUnavailable:
    case StatusCode::kWaiting:
    case StatusCode::kRefused:
    case StatusCode::kGap:
    case StatusCode::kProtocolError: return ExitStatus::kUnavailable;
    case StatusCode::kConfiguration: return ExitStatus::kConfiguration;
    case StatusCode::kOutputFailed: return ExitStatus::kOutputFailed;
    case StatusCode::kInternal: return ExitStatus::kInternal;
  }
  return ExitStatus::kInternal;
}

}  // namespace walcat

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "walcat/base/lsn.h"

namespace walcat {

/// What is played of captures, and how fast (`walcat replay`).
struct ReplayOptions {
  enum class Tempo {
    kMost,      ///< As fast as the output takes it.
    kRate,      ///< So many changes a second.
    kRecorded,  ///< As the frames came, or a multiple of that.
  };

  /// Capture files. Those of the same stream are parts of one recording, in this order; the others play side by side.
  std::vector<std::string> paths;
  Tempo tempo = Tempo::kMost;
  /// Changes a second, of all databases together.
  double rate = 0;
  /// Times as fast as recorded.
  double speed = 1;
  /// Times that everything is played; 0: without end.
  std::uint64_t loops = 1;
  /// Transactions that commit at or after this position; all if it is zero.
  Lsn from_lsn;
  /// Transactions that commit before this position.
  std::optional<Lsn> to_lsn;
  /// Names of databases, or labels; empty: all.
  std::vector<std::string> databases;
};

}  // namespace walcat

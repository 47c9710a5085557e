#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "field.h"
#include "walcat/config/configuration.h"
#include "walcat/postgres/conninfo.h"

namespace walcat::config {

/// An entry of `databases` while it is read.
struct DatabaseDraft {
  DatabaseOptions options;
  /// What `conn_str` points at; nothing if it could not be read.
  std::optional<ConnectionTarget> target;
  /// Where the entry has no such key, that of the top level holds.
  bool has_on_keyless = false;
};

/// The configuration while it is read: the options, and the keys that only together give an option.
struct Draft {
  Configuration configuration;
  /// The base name that offset files without a name of their own derive from.
  std::string offset_file = "offset.json";
  bool inactive_slot_check = false;
  OnGap on_gap = OnGap::kFail;
  OnKeyless on_keyless = OnKeyless::kRefuse;
  OnPoison on_poison = OnPoison::kStop;
  OnLostRule on_lost_rule = OnLostRule::kStop;
  /// The base name that files of dead letters without a name of their own derive from.
  std::string dead_letter_file = "dead_letters.wcap";
  bool two_phase = false;
  std::chrono::milliseconds heartbeat_interval{0};
  WalGuardOptions wal_guard;
  SnapshotOptions snapshot;
  SpoolOptions spool;
  /// Nothing is captured without a path.
  CaptureOptions capture;
  std::vector<DatabaseDraft> databases;
};

/// Every key of the configuration, in the order in which they are printed. A new key is a line here.
const std::vector<Field<Draft>>& top_level_keys();

}  // namespace walcat::config

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "walcat/base/lsn.h"
#include "walcat/model/relation.h"
#include "walcat/model/type.h"

namespace walcat {

/// Where a row stands in its snapshot (`source.snapshot`).
enum class SnapshotMark : std::uint8_t { kNone, kFirst, kFirstOfTable, kInside, kLastOfTable, kLast, kIncremental };

/// A run of pages of one physical table, read at once.
struct ChunkId {
  std::uint32_t table_oid = 0;
  /// The table's file when it was cut up: a rewritten table has another, and its rows stand elsewhere.
  std::uint32_t filenode = 0;
  std::uint32_t number = 0;
};

/// How far a snapshot has come; stored with the offset, so that a restart reads what is missing and no more.
struct SnapshotProgress {
  /// A physical table: for a partitioned one, each leaf.
  struct Table {
    /// `schema.table`, for people.
    std::string name;
    std::uint32_t oid = 0;
    std::uint32_t filenode = 0;
    /// Pages of a chunk; 0: the table is one chunk. The last chunk has no end.
    std::uint32_t chunk_pages = 0;
    /// A chunk each: whether its lines were accepted by the output.
    std::vector<bool> done;
    /// Whether its chunks were read at more than one point in time.
    bool is_mixed = false;
    /// Whether it was rewritten since the point.
    bool is_rewritten = false;

    bool operator==(const Table&) const = default;
  };

  /// The stream delivers what committed at or after this position; lines carry it.
  Lsn point;
  /// Microseconds since 2000-01-01 UTC.
  std::int64_t began = 0;
  /// What was committed at the point, as pg_current_snapshot() writes it.
  std::string visible;
  /// Times it was begun or resumed.
  std::uint32_t sessions = 0;
  bool complete = false;
  /// Empty once it is complete.
  std::vector<Table> tables;

  std::size_t chunks() const {
    std::size_t count = 0;
    for (const Table& table : tables) count += table.done.size();
    return count;
  }
  std::size_t chunks_left() const {
    std::size_t count = 0;
    for (const Table& table : tables) {
      for (const bool done : table.done) count += done ? 0 : 1;
    }
    return count;
  }

  bool operator==(const SnapshotProgress&) const = default;
};

/// What is common to the rows of one published table in one session of a snapshot.
///
/// Immutable once shared.
struct SnapshotSource {
  /// As the stream would describe it.
  Relation relation;
  /// OIDs of the physical tables that are read; empty where that is not known, in a replay.
  std::vector<std::uint32_t> parts = {};
  /// Null where the catalog's note is not wanted.
  std::shared_ptr<const RelationNote> note;
  Lsn point;
  /// Microseconds since 2000-01-01 UTC.
  std::int64_t began = 0;
  /// Index of the session's first row. Each session counts from a base of its own, so that no pair of (commit_lsn,
  /// index) comes twice, whatever was printed before a crash.
  std::uint64_t first_index = 0;
};

/// Rows a session has indices for.
inline constexpr std::uint64_t kSnapshotSessionRows = std::uint64_t{1} << 40;
/// A transaction may commit exactly at the snapshot's point: its changes' indices begin above all of the rows'.
inline constexpr std::uint64_t kIndexAboveSnapshot = std::uint64_t{1} << 52;

}  // namespace walcat

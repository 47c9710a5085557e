#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "decoder/frames.h"
#include "walcat/decoder/decoder.h"
#include "walcat/model/batch.h"

namespace walcat::test {

inline constexpr std::size_t kBatchBytes = std::size_t{256} << 10;

inline constexpr std::uint32_t kTimestampTz = 1184;
inline constexpr std::uint32_t kInt8 = 20;
inline constexpr std::uint32_t kUuid = 2950;
inline constexpr std::uint32_t kJsonb = 3802;
inline constexpr std::uint32_t kTimestamp = 1114;

/// A stream of changes to one table, of one kind.
struct Workload {
  TableSpec table;
  std::uint64_t changes_per_transaction = 100;
  /// The message of the i-th change.
  std::string (*change)(const TableSpec& table, std::uint64_t i);
};

inline TableSpec narrow_table() {
  return {16384, "public", "events", 'd', {{"id", kInt8, true}, {"a", kInt4}, {"note"}, {"at", kTimestampTz}}};
}

inline Tuple narrow_row(std::uint64_t i) {
  return {fmt::format("{}", 1'000'000 + i), fmt::format("{}", i % 997),
          fmt::format("row number {} of the load, as narrow as most", i),
          fmt::format("2026-01-31 12:00:{:02}.{:06}+00", i % 60, i * 7919 % 1'000'000)};
}

/// About 152 bytes a frame, 370 a line.
inline Workload narrow(std::uint64_t changes_per_transaction = 100) {
  return {narrow_table(), changes_per_transaction,
          [](const TableSpec& table, std::uint64_t i) { return insert(table.oid, narrow_row(i)); }};
}

/// The same rows, with the whole row before.
inline Workload updates() {
  return {narrow_table(), 1000, [](const TableSpec& table, std::uint64_t i) {
            return update(table.oid, 'O', narrow_row(i), narrow_row(i + 1));
          }};
}

inline Workload deletes() {
  return {narrow_table(), 1000, [](const TableSpec& table, std::uint64_t i) {
            return remove(table.oid, 'K', {fmt::format("{}", 1'000'000 + i), kNullValue, kNullValue, kNullValue});
          }};
}

/// 30 columns, integers and text without anything to escape: about 1.3 kB a frame, 1.9 kB a line.
inline Workload wide() {
  TableSpec table{16385, "public", "wide", 'd', {}};
  for (int i = 0; i < 30; ++i)
    table.columns.push_back({fmt::format("column_{}", i), i % 3 == 0 ? kInt4 : kText, i == 0});
  return {
      table, 100, [](const TableSpec& spec, std::uint64_t i) {
        Tuple row;
        for (std::size_t k = 0; k < spec.columns.size(); ++k) {
          row.emplace_back(k % 3 == 0 ? fmt::format("{}", 100'000 + i + k) : std::string(20 + (3 * k + i) % 90, 'x'));
        }
        return insert(spec.oid, row);
      }};
}

/// 30 columns of ten types, three of them documents full of quotes.
inline Workload mixed() {
  TableSpec table{16386, "public", "mixed", 'd', {}};
  constexpr std::uint32_t kTypes[] = {kInt4, kText, kNumeric, kTimestamp, kBool, kText, kUuid, kInt8, kText, kJsonb};
  for (int i = 0; i < 30; ++i) table.columns.push_back({fmt::format("column_{}", i), kTypes[i % 10], i == 0});
  return {table, 100, [](const TableSpec& spec, std::uint64_t i) {
            Tuple row;
            for (std::size_t k = 0; k < spec.columns.size(); k += 10) {
              row.emplace_back(fmt::format("{}", 100'000 + i + k));
              row.emplace_back(fmt::format("a text of forty letters, or so it is {:07}", i));
              row.emplace_back(fmt::format("{}.{:02}", i * 31 % 100'000, i % 100));
              row.emplace_back(fmt::format("2026-01-31 12:{:02}:00.5", i % 60));
              row.emplace_back(i % 3 == 0 ? "t" : "f");
              row.emplace_back(std::string(60 + i % 64, 'x'));
              row.emplace_back("123e4567-e89b-12d3-a456-426614174000");
              row.emplace_back(i % 7 == 0 ? kNullValue : Value(fmt::format("{}", i * 1'000'003)));
              row.emplace_back(std::string(i % 30, 'y'));
              row.emplace_back(fmt::format(R"({{"id": {}, "tags": ["a", "b"], "ok": true}})", i));
            }
            return insert(spec.oid, row);
          }};
}

/// Makes batches of a stream, each of which can be decoded by itself and again and again.
class Packer {
 public:
  explicit Packer(Workload load) : load_(std::move(load)) {}

  std::unique_ptr<Batch> pack() {
    auto batch = std::make_unique<Batch>(kBatchBytes);
    const auto add = [&](const std::string& message) { batch->append_frame(at(lsn_ += 0x80, message)); };
    std::uint64_t commit_lsn = 0;
    for (std::uint64_t i = 0;; ++i, ++change_) {
      const std::string change = load_.change(load_.table, change_);
      if (!batch->has_room(change.size() + 256)) break;
      if (i % load_.changes_per_transaction == 0) {
        if (commit_lsn != 0) add(commit(commit_lsn, commit_lsn + 0x30));
        commit_lsn = lsn_ + (load_.changes_per_transaction + 4) * 0x80;
        add(begin(commit_lsn, static_cast<std::uint32_t>(700 + change_), 822'614'400'000'000));
      }
      if (i == 0) add(relation(load_.table));
      add(change);
    }
    add(commit(commit_lsn, commit_lsn + 0x30));
    batch->database = std::make_shared<const std::string>("bench");
    batch->session = 1;
    batch->sequence = sequence_++;
    return batch;
  }

  /// So many of them that the frames do not fit a core's own caches, as on the street, where another core brings them.
  std::vector<std::unique_ptr<Batch>> pack(std::size_t bytes) {
    std::vector<std::unique_ptr<Batch>> batches;
    for (std::size_t packed = 0; packed < bytes; packed += kBatchBytes) batches.push_back(pack());
    return batches;
  }

 private:
  Workload load_;
  std::uint64_t lsn_ = 0x1'6B37'4D80;
  std::uint64_t change_ = 0;
  std::uint64_t sequence_ = 0;
};

inline void drop_changes(Batch& batch) {
  batch.changes.clear();
  batch.cells.clear();
  batch.transactions.clear();
  batch.progress_points.clear();
  batch.relations.clear();
}

inline void drop_lines(Batch& batch) {
  batch.changes_written = 0;
  batch.line_ends.clear();
  batch.lines.clear(batch.line_bytes());
}

}  // namespace walcat::test

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "walcat/base/status.h"

namespace walcat {

/// Transactions that may be open in the stream at once. No server has more sessions, nor max_prepared_transactions
/// (MAX_BACKENDS).
inline constexpr std::size_t kOpenTransactionsMost = (std::size_t{1} << 18) - 1;

/// The frames of one transaction that is not over yet: in memory first, then in a file.
///
/// The file has no name: whatever ends the process, its space is free again.
///
/// Threads: stage-bound (reader).
class TransactionSpool {
 public:
  /// `directory`: where the file is made once it is needed.
  explicit TransactionSpool(std::string directory) : directory_(std::move(directory)) {}
  ~TransactionSpool();
  TransactionSpool(TransactionSpool&& other) noexcept;
  TransactionSpool& operator=(TransactionSpool&&) = delete;

  /// Appends a frame, given in two parts, to what is in memory.
  void append(std::string_view head, std::string_view rest);
  /// Moves what is in memory to the file.
  ///
  /// Errors: kUnavailable if the disk takes no more; what it took is not written again by the next call.
  Status spill();

  /// Bytes of all frames, and of those that are in memory. A frame counts four more than it has.
  std::uint64_t size() const { return file_size_ + memory_.size(); }
  std::size_t memory() const { return memory_.size(); }
  /// Whether it has a file, and so takes a descriptor.
  bool has_file() const { return fd_ >= 0; }

  /// Takes back what stands from `offset` on, which size() was once.
  Status truncate(std::uint64_t offset);

  /// The next frame from the beginning on; nothing at the end. It lives until the next call. Once this was called,
  /// nothing may be appended.
  Result<std::optional<std::string_view>> next();
  /// The frame that begins at `offset`.
  Result<std::string> frame_at(std::uint64_t offset);

 private:
  Status open();
  Status read_file(std::uint64_t offset, std::size_t bytes, char* to) const;
  Status fill(std::size_t bytes);

  std::string directory_;
  int fd_ = -1;
  std::uint64_t file_size_ = 0;
  std::string memory_;

  // Reading: bytes from read_at_ on are in buffer_, from buffer_at_ on.
  std::uint64_t read_at_ = 0;
  std::string buffer_;
  std::size_t buffer_at_ = 0;
};

}  // namespace walcat

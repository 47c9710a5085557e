#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace walcat {

/// Bytes that only ever grow at the end, in memory that is kept for the next use.
///
/// Behind the last byte there are always kSlack bytes of the buffer's own memory, so that code working in blocks of 16
/// or 32 bytes may read and write past the end without a special case for the tail.
/// Threads: stage-bound.
class ByteBuffer {
 public:
  static constexpr std::size_t kSlack = 64;

  explicit ByteBuffer(std::size_t capacity) { reallocate(capacity); }

  char* data() { return bytes_.get(); }
  const char* data() const { return bytes_.get(); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {bytes_.get(), size_}; }

  /// Makes room for `bytes` more, at least doubling when it must grow. Invalidates data().
  void ensure(std::size_t bytes) {
    if (bytes > capacity_ - size_) grow(size_ + bytes);
  }

  /// Where the next byte goes. Valid until ensure() grows.
  char* end() { return bytes_.get() + size_; }
  /// Declares that everything before `end` is filled. `end` may not lie past the capacity.
  void set_end(const char* end) { size_ = static_cast<std::size_t>(end - bytes_.get()); }

  void append(std::string_view text) {
    ensure(text.size());
    std::memcpy(end(), text.data(), text.size());
    size_ += text.size();
  }

  /// Empties the buffer; memory above `keep_bytes` goes back to the system.
  void clear(std::size_t keep_bytes) {
    size_ = 0;
    if (capacity_ > keep_bytes) reallocate(keep_bytes);
  }

 private:
  void grow(std::size_t needed) {
    const std::size_t used = size_;
    auto old = std::move(bytes_);
    reallocate(std::max(needed, capacity_ * 2));
    std::memcpy(bytes_.get(), old.get(), used);
  }

  void reallocate(std::size_t capacity) {
    bytes_.reset();
    bytes_ = std::make_unique_for_overwrite<char[]>(capacity + kSlack);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace walcat

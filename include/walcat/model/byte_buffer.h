#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
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

  explicit ByteBuffer(std::size_t capacity) { resize(capacity); }

  char* data() { return bytes_.get(); }
  const char* data() const { return bytes_.get(); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {bytes_.get(), size_}; }

  /// Makes room for `bytes` more, at least doubling when it must grow. Invalidates data().
  void ensure(std::size_t bytes) {
    if (bytes > capacity_ - size_) resize(std::max(size_ + bytes, capacity_ * 2));
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
    if (capacity_ <= keep_bytes) return;
    bytes_.reset();
    // Of memory that is refused there is none.
    capacity_ = 0;
    resize(keep_bytes);
  }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };

  // The pages of a large block are moved, not copied: it is never there twice.
  void resize(std::size_t capacity) {
    auto* const moved = static_cast<char*>(std::realloc(bytes_.get(), capacity + kSlack));
    if (moved == nullptr) throw std::bad_alloc();
    static_cast<void>(bytes_.release());
    bytes_.reset(moved);
    capacity_ = capacity;
  }

  std::unique_ptr<char, Free> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace walcat

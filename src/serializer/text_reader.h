#pragma once

#include <cstdint>
#include <string_view>

namespace walcat {

/// Reads a text from its front, piece by piece, and never past its end.
class TextReader {
 public:
  explicit TextReader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool at_end() const { return at_ == end_; }
  /// The next byte, or NUL at the end.
  char peek() const { return at_ == end_ ? '\0' : *at_; }
  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  bool take(char byte) {
    if (at_ == end_ || *at_ != byte) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view text) {
    if (!rest().starts_with(text)) return false;
    at_ += text.size();
    return true;
  }

  /// Reads from `least` to `most` digits (18 at most) and stops before the first byte that is none, or after `most`.
  bool digits(int least, int most, std::int64_t& value) {
    int count = 0;
    value = 0;
    while (count < most && at_ != end_ && *at_ >= '0' && *at_ <= '9') {
      value = value * 10 + (*at_++ - '0');
      ++count;
    }
    return count >= least;
  }

  /// Reads `+`, `-` or nothing: -1 after a minus, else 1.
  int sign() {
    if (take('-')) return -1;
    take('+');
    return 1;
  }

 private:
  const char* at_;
  const char* end_;
};

}  // namespace walcat

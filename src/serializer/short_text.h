#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "walcat/model/byte_buffer.h"

namespace walcat {

/// A short text put together on the stack, padded as LineWriter wants its sources.
///
/// The caller knows that it never adds more than kCapacity bytes.
class ShortText {
 public:
  static constexpr std::size_t kCapacity = 192;

  std::string_view view() const { return {bytes_.data(), size_}; }

  ShortText& add(char byte) {
    bytes_[size_++] = byte;
    return *this;
  }
  ShortText& add(std::string_view text) {
    std::memcpy(bytes_.data() + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
  }

  /// Adds a number, with zeros before it up to `digits_least` digits.
  ShortText& number(std::uint64_t value, int digits_least = 1) {
    std::array<char, 20> digits;
    std::size_t begin = digits.size();
    for (int count = 0; value != 0 || count < digits_least; ++count) {
      digits[--begin] = static_cast<char>('0' + value % 10);
      value /= 10;
    }
    return add({digits.data() + begin, digits.size() - begin});
  }
  ShortText& number(std::int64_t value) {
    if (value < 0) add('-');
    const auto magnitude = static_cast<std::uint64_t>(value);
    return number(value < 0 ? ~magnitude + 1 : magnitude);
  }

  /// Adds a number below 100 as two digits.
  ShortText& two_digits(std::uint64_t value) {
    bytes_[size_] = static_cast<char>('0' + value / 10);
    bytes_[size_ + 1] = static_cast<char>('0' + value % 10);
    size_ += 2;
    return *this;
  }

  /// Adds `.` and millionths without the zeros at their end; nothing if there are none.
  ShortText& trimmed_fraction(std::int64_t micros) {
    if (micros == 0) return *this;
    const auto value = static_cast<std::uint64_t>(micros);
    add('.').two_digits(value / 10'000).two_digits(value / 100 % 100).two_digits(value % 100);
    while (bytes_[size_ - 1] == '0') --size_;
    return *this;
  }

 private:
  std::array<char, kCapacity + ByteBuffer::kSlack> bytes_;
  std::size_t size_ = 0;
};

}  // namespace walcat

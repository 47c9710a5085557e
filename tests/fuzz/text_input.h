#pragma once

#include <string_view>

namespace walcat::test {

/// Takes the next line off `rest`, without its line feed.
inline std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

/// The choices of a target's options: a digit each (any other byte stands for one as well), 0 where there is no more.
class Choices {
 public:
  explicit Choices(std::string_view digits) : rest_(digits) {}

  /// One of `count`.
  unsigned next(unsigned count) {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return static_cast<unsigned char>(byte - '0') % count;
  }
  template <typename Enum>
  Enum next_of(unsigned count) {
    return static_cast<Enum>(next(count));
  }

 private:
  std::string_view rest_;
};

}  // namespace walcat::test

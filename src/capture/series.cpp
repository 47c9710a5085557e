#include "series.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "block_file.h"

namespace walcat {

namespace {

constexpr std::string_view kExtension = ".wcap";
constexpr std::size_t kDigits = 6;

// What stands before the number, and behind it.
std::string_view stem(std::string_view path) {
  return path.substr(0, path.size() - (path.ends_with(kExtension) ? kExtension.size() : 0));
}
std::string_view extension(std::string_view path) {
  return path.ends_with(kExtension) ? kExtension : std::string_view();
}

// The number of the file `name` in the series of that name, if it is one of it.
std::optional<std::uint64_t> number_in(std::string_view series, std::string_view name) {
  const std::string before = std::string(stem(series)) + ".";
  const std::string_view behind = extension(series);
  if (!name.starts_with(before) || !name.ends_with(behind)) return std::nullopt;
  name.remove_prefix(before.size());
  if (name.size() < kDigits + behind.size()) return std::nullopt;
  name.remove_suffix(behind.size());
  std::uint64_t number = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  if (read.ec != std::errc() || read.ptr != name.data() + name.size() || number == 0) return std::nullopt;
  // Nobody counts so far; another spelling of the number would be another file.
  if (number > UINT32_MAX || fmt::format("{:06}", number) != name) return std::nullopt;
  return number;
}

}  // namespace

std::string series_path(const std::string& path, std::uint64_t number) {
  return fmt::format("{}.{:06}{}", stem(path), number, extension(path));
}

Result<std::uint64_t> last_of_series(const std::string& path) {
  const std::filesystem::path whole(path);
  const std::filesystem::path folder = whole.parent_path().empty() ? "." : whole.parent_path();
  const std::string series = whole.filename().string();
  std::uint64_t last = 0;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    last = std::max(last, number_in(series, at->path().filename().string()).value_or(0));
  }
  if (failed) return capture_fault(path, fmt::format("read the folder: {}", failed.message()));
  return last;
}

}  // namespace walcat

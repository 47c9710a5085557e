#include "walcat/base/claimed_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "walcat/base/private_file.h"

namespace walcat {

namespace {

namespace fs = std::filesystem;

// As many as Linux follows.
constexpr int kLinksMost = 40;

// The absolute name, its folder's links resolved, its own not.
fs::path name_of(const fs::path& path) {
  std::error_code failed;
  const fs::path absolute = fs::absolute(path, failed).lexically_normal();
  fs::path folder = fs::weakly_canonical(absolute.parent_path(), failed);
  return (failed ? absolute.parent_path() : folder) / absolute.filename();
}

// The name that opening `path` leads to, which need not exist: canonical() knows files only.
fs::path name_led_to(const fs::path& path) {
  fs::path name = name_of(path);
  for (int links = 0; links < kLinksMost; ++links) {
    std::error_code is_no_link;
    const fs::path target = fs::read_symlink(name, is_no_link);
    if (is_no_link) return name;
    name = name_of(name.parent_path() / target);
  }
  return name;
}

// All that tells a file: its names, and its number if it is there. A path begins with a slash, a number does not.
// A device, a pipe or a socket is no file, and may be many things' place, as /dev/null is.
std::vector<std::string> marks_of(const std::string& path) {
  if (path.empty()) return {};
  struct stat found{};
  const bool is_there = ::stat(path.c_str(), &found) == 0;
  if (is_there && !S_ISREG(found.st_mode)) return {};
  std::vector<std::string> marks{name_of(path).string(), name_led_to(path).string()};
  if (is_there) marks.push_back(fmt::format("{}:{}", found.st_dev, found.st_ino));
  return marks;
}

}  // namespace

std::optional<ClaimedFiles::Claim> ClaimedFiles::holder(const std::string& path) const {
  for (const std::string& mark : marks_of(path)) {
    if (const auto found = claims_.find(mark); found != claims_.end()) return found->second;
  }
  return std::nullopt;
}

std::optional<ClaimedFiles::Claim> ClaimedFiles::claim(const std::string& path, std::string_view owner) {
  if (auto earlier = holder(path)) return earlier;
  for (const std::string& mark : marks_of(path)) claims_.emplace(mark, Claim{std::string(owner), path});
  return std::nullopt;
}

std::optional<ClaimedFiles::Claim> ClaimedFiles::claim_replaced(const std::string& path, std::string_view owner) {
  if (path.empty()) return std::nullopt;
  if (auto earlier = holder(path)) return earlier;
  // By its name alone: what has that name is removed, and not followed.
  const std::string temporary = name_of(temporary_path(path)).string();
  if (const auto found = claims_.find(temporary); found != claims_.end()) return found->second;
  claim(path, owner);
  claims_.emplace(temporary, Claim{fmt::format("{}, while it is replaced", owner), temporary_path(path)});
  return std::nullopt;
}

}  // namespace walcat

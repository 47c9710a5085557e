#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace walcat {

/// The files of a run, each of which serves one purpose: what is written to one must not go over another.
///
/// Two paths are one file if they lead to the same name, through whatever symbolic links, whether or not a file is
/// there yet; or if they lead to one regular file, which may have several names (hard links). What is there and is no
/// regular file, such as /dev/null, may serve any number of purposes. Looks at the disk at each claim, and sees what is
/// there at that moment. Threads: one at a time.
class ClaimedFiles {
 public:
  /// Who has a file.
  struct Claim {
    /// As it was told: a key of the configuration, an entry.
    std::string owner;
    std::string path;
  };

  /// Who has the file of `path`, if anybody has. An empty path is no file, nor is a device.
  std::optional<Claim> holder(const std::string& path) const;

  /// Claims `path` for `owner`; the earlier claim if the file has one, which stands then.
  std::optional<Claim> claim(const std::string& path, std::string_view owner);

  /// Claims `path` and the temporary file beside it, by which replace_private_file() replaces it.
  std::optional<Claim> claim_replaced(const std::string& path, std::string_view owner);

 private:
  std::map<std::string, Claim> claims_;
};

}  // namespace walcat

#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <utility>

namespace walcat {

/// Where a replay's report is left, hours after it was found that it can be: whoever may write the folder may have put
/// a link there meanwhile, and nothing is written through it.
///
/// Errors of both: false, and errno says why.
class ReportFile {
 public:
  explicit ReportFile(std::string path) : path_(std::move(path)) {}

  /// Finds out whether a report can be left, and what stands there, which stays as it is.
  bool prepare();
  /// Leaves `text`: in what stood there, if that is the same file still, or else in a file that is made.
  bool leave(const std::string& text) const;

 private:
  int open() const;

  const std::string path_;
  /// What stood there.
  std::optional<struct stat> found_;
};

}  // namespace walcat

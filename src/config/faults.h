#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "node.h"
#include "walcat/base/status.h"

namespace walcat::config {

/// Everything that is wrong with one configuration, told together.
class Faults {
 public:
  /// `name` stands for the file; `overrides` are the `--set` options that places may refer to.
  Faults(std::string name, const std::vector<std::string>& overrides);

  /// Notes a fault of the value or key `path` (`databases[0].slot_name`; empty: the file as a whole).
  void add(const Place& place, const std::string& path, const std::string& message);

  /// What stands for the file.
  const std::string& name() const { return name_; }

  bool empty() const { return faults_.empty(); }
  std::size_t size() const { return faults_.size(); }

  /// kConfiguration with one line a fault, in the order of the file, then of the overrides; ok when there is none.
  Status status() const;

 private:
  std::string where(const Place& place) const;

  std::string name_;
  std::vector<std::string> overrides_;
  /// In the order to tell them: by override (the file is -1), line and column, then as they came.
  std::multimap<std::tuple<int, int, int>, std::string> faults_;
};

/// What stands at `node`, for a sentence: `the number 42`, `"abc"`, `a list`. Passwords are masked.
std::string described(const Node& node);

/// `text` in quotes, on one line, of bearable length, passwords masked.
std::string shown(std::string_view text);

/// Whether a plain scalar of this text is a number or a boolean to YAML, so that a string needs quotes.
bool is_number(std::string_view text);
bool is_boolean(std::string_view text);

}  // namespace walcat::config

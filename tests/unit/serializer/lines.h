#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/feed.h"
#include "walcat/serializer/serializer.h"

namespace walcat::test {

/// The lines that the batch holds now, newlines included, one for each serialized change.
inline Strings lines(const Batch& batch) {
  Strings all;
  std::size_t begin = 0;
  for (const std::size_t end : batch.line_ends) {
    all.emplace_back(batch.lines.view().substr(begin, end - begin));
    begin = end;
  }
  return all;
}

/// The street without its ends: frames in, lines out.
inline Strings printed(const Strings& frames, const SerializerOptions& options = {}) {
  Feed feed({}, 1 << 20);
  const auto batch = feed.decode(frames);
  if (!feed.status().is_ok()) return {feed.status().message()};
  Serializer(options).serialize(*batch);
  return lines(*batch);
}

inline std::string between(std::string_view line, std::string_view left, std::string_view right) {
  const auto begin = line.find(left);
  if (begin == std::string_view::npos) return "no " + std::string(left);
  const auto end = line.rfind(right);
  if (end == std::string_view::npos || end < begin + left.size()) return "no " + std::string(right);
  return std::string(line.substr(begin + left.size(), end - begin - left.size()));
}

/// What stands between `"after":` and `,"source"`.
inline std::string after(std::string_view line) { return between(line, "\"after\":", ",\"source\":"); }
inline std::string before(std::string_view line) { return between(line, "\"before\":", ",\"after\":"); }
inline std::string source(std::string_view line) { return between(line, "\"source\":", ",\"op\":"); }

}  // namespace walcat::test

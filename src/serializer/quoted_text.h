#pragma once

#include <cstddef>
#include <string_view>

#include "walcat/model/byte_buffer.h"

namespace walcat {

/// A part of an array's or hstore's text: what stands between double quotes, with a backslash before what is itself a
/// quote or a backslash.
struct QuotedText {
  std::string_view raw;
  bool has_escapes = false;

  /// The text meant: `raw`, or its copy without the backslashes in `scratch`, padded and valid until its next use.
  std::string_view plain(ByteBuffer& scratch) const;
};

/// Reads the quoted text that `text` begins with and drops it from there; false if it does not end.
bool take_quoted(std::string_view& text, QuotedText& quoted);

/// Memory of scratch buffers, bytes: what they begin with, and what they keep from one value to the next.
inline constexpr std::size_t kScratchStart = 256;
inline constexpr std::size_t kScratchKept = 16'384;

}  // namespace walcat

#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json_bytes.h"
#include "walcat/model/byte_buffer.h"

namespace walcat {

/// Writes JSON text to the end of a ByteBuffer, in blocks that may run over into the buffer's slack.
///
/// Sources must be padded likewise: up to ByteBuffer::kSlack bytes behind a text may be read, whatever they hold.
/// Threads: stage-bound (serializer).
/// Ownership: borrows the buffer; nobody else may touch it until close().
class LineWriter {
 public:
  /// Texts up to this size take room for the worst that escapes can make of them.
  static constexpr std::size_t kShortText = 1024;

  explicit LineWriter(ByteBuffer& buffer) : buffer_(buffer) { open(); }

  /// Bytes written, those of before this writer included.
  std::size_t size() const { return static_cast<std::size_t>(out_ - buffer_.data()); }
  void close() { buffer_.set_end(out_); }

  /// Where the next byte goes, with room for `bytes`: for those that put a few pieces at once, see json_bytes.h.
  char* reserve(std::size_t bytes) {
    room(bytes);
    return out_;
  }
  /// Room behind what reserve() returned, `bytes` at least.
  const char* limit() const { return limit_; }
  /// Declares that everything before `end` is written.
  void advance_to(char* end) { out_ = end; }

  /// Copies text that is JSON already.
  void raw(const char* text, std::size_t size) {
    room(size);
    out_ = put(out_, text, size);
  }
  void raw(std::string_view padded) { raw(padded.data(), padded.size()); }

  /// Copies a literal; nothing behind it is read.
  template <std::size_t kSize>
  void literal(const char (&text)[kSize]) {
    room(kSize);
    out_ = put(out_, text);
  }

  void byte(char value) {
    room(1);
    *out_++ = value;
  }

  void number(std::uint64_t value) {
    room(kNumberMost);
    out_ = put(out_, value);
  }
  void number(std::int64_t value) {
    room(kNumberMost);
    out_ = put(out_, value);
  }

  /// Writes `text` as a JSON string: escapes `"`, `\` and control characters, leaves all else as it is.
  void string(const char* text, std::size_t size) {
    if (size > kShortText) [[unlikely]]
      return long_string(text, size);
    room(kEscapeMost * size + kQuotes);
    out_ = put_string(out_, text, size);
  }
  void string(std::string_view padded) { string(padded.data(), padded.size()); }

  /// Writes the text of a value that its type's form has no place for, as a string, and counts it. Infinities and NaN
  /// are no such values: JSON has no numbers for them, and the form is their word.
  void text_instead(std::string_view padded);
  /// How many texts were written so.
  std::uint64_t texts_instead() const { return texts_instead_; }

  /// A value of an enum that its description does not know.
  struct StrangeLabel {
    std::uint32_t type_oid;
    std::string label;
  };
  void strange_label(std::uint32_t type_oid, std::string_view label);
  bool has_strange_labels() const { return !strange_labels_.empty(); }
  std::vector<StrangeLabel> take_strange_labels() { return std::exchange(strange_labels_, {}); }

  /// What is written so far.
  struct Mark {
    std::size_t size;
    std::uint64_t texts_instead;
  };
  Mark mark() const { return {size(), texts_instead_}; }
  /// Takes back what was written since.
  void return_to(const Mark& mark) {
    out_ = buffer_.data() + mark.size;
    texts_instead_ = mark.texts_instead;
  }

  /// Writes `bytes` as a JSON string of standard base64.
  void base64(std::string_view bytes);
  /// The same in the alphabet that is safe in URLs, with padding.
  void base64_url_safe(std::string_view bytes);
  /// Writes `bytes` as a JSON string of lower-case hexadecimal digits.
  void hex(std::string_view bytes);

 private:
  void open() {
    out_ = buffer_.end();
    limit_ = buffer_.data() + buffer_.capacity();
  }

  void room(std::size_t bytes) {
    if (bytes > static_cast<std::size_t>(limit_ - out_)) [[unlikely]]
      make_room(bytes);
  }
  void make_room(std::size_t bytes) {
    close();
    buffer_.ensure(bytes);
    open();
  }

  void long_string(const char* text, std::size_t size);
  void base64(std::string_view bytes, const char* alphabet);

  ByteBuffer& buffer_;
  char* out_ = nullptr;
  char* limit_ = nullptr;
  std::uint64_t texts_instead_ = 0;
  std::vector<StrangeLabel> strange_labels_;
};

}  // namespace walcat

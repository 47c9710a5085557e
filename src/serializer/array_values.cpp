#include "array_values.h"

#include "quoted_text.h"

namespace walcat {

namespace {

constexpr int kDepthMost = 6;  // PostgreSQL's MAXDIM

enum class Token { kOpen, kClose, kDelimiter, kNull, kElement, kEnd, kError };

/// Cuts an array's text into brackets, delimiters and elements.
class ArrayTokens {
 public:
  ArrayTokens(std::string_view text, char delimiter) : rest_(text), delimiter_(delimiter) { skip_bounds(); }

  Token next() {
    if (rest_.empty()) return Token::kEnd;
    const char first = rest_.front();
    if (first == '{') return skip_one(Token::kOpen);
    if (first == '}') return skip_one(Token::kClose);
    if (first == delimiter_) return skip_one(Token::kDelimiter);
    if (first == '"') return take_quoted(rest_, element_) ? Token::kElement : Token::kError;
    return bare_element();
  }

  /// Of the last kElement.
  const QuotedText& element() const { return element_; }

 private:
  // `[0:1][-1:2]=`
  void skip_bounds() {
    if (!rest_.starts_with('[')) return;
    const std::size_t end = rest_.find_first_not_of("[]:+-0123456789");
    if (end != std::string_view::npos && rest_[end] == '=') rest_.remove_prefix(end + 1);
  }

  Token skip_one(Token token) {
    rest_.remove_prefix(1);
    return token;
  }

  Token bare_element() {
    std::size_t size = 0;
    while (size < rest_.size() && !ends_bare(rest_[size])) ++size;
    element_ = {rest_.substr(0, size), false};
    rest_.remove_prefix(size);
    if (!rest_.empty() && (rest_.front() == '"' || rest_.front() == '\\')) return Token::kError;
    return element_.raw == "NULL" ? Token::kNull : Token::kElement;
  }

  bool ends_bare(char c) const { return c == delimiter_ || c == '{' || c == '}' || c == '"' || c == '\\'; }

  std::string_view rest_;
  char delimiter_;
  QuotedText element_;
};

/// Follows the tokens of an array and knows which may come next.
class ArrayShape {
 public:
  bool accepts(Token token) {
    switch (token) {
      case Token::kOpen: return open();
      case Token::kClose: return close();
      case Token::kDelimiter: return delimit();
      case Token::kNull:
      case Token::kElement: return value();
      default: return false;
    }
  }
  /// Whether the array is complete.
  bool is_whole() const { return depth_ == 0 && after_value_; }

 private:
  bool open() {
    if (after_value_ || ++depth_ > kDepthMost) return false;
    after_open_ = true;
    return true;
  }
  bool close() {
    if (depth_ == 0 || !(after_value_ || after_open_)) return false;
    --depth_;
    after_value_ = true;
    after_open_ = false;
    return true;
  }
  bool delimit() {
    if (depth_ == 0 || !after_value_) return false;
    after_value_ = false;
    return true;
  }
  bool value() {
    if (depth_ == 0 || after_value_) return false;
    after_value_ = true;
    after_open_ = false;
    return true;
  }

  int depth_ = 0;
  bool after_value_ = false;
  bool after_open_ = false;
};

bool is_array(std::string_view text, char delimiter) {
  ArrayTokens tokens(text, delimiter);
  ArrayShape shape;
  for (Token token = tokens.next(); token != Token::kEnd; token = tokens.next()) {
    if (!shape.accepts(token)) return false;
  }
  return shape.is_whole();
}

// An array's tokens are those of a JSON array one for one, once the text is known to be an array.
class ArrayWriter final : public CellWriter {
 public:
  ArrayWriter(std::unique_ptr<const CellWriter> element, char delimiter)
      : element_(std::move(element)), delimiter_(delimiter), scratch_(kScratchStart) {}

  bool write(LineWriter& out, std::string_view text) const override {
    if (!is_array(text, delimiter_)) return false;
    ArrayTokens tokens(text, delimiter_);
    for (Token token = tokens.next(); token != Token::kEnd; token = tokens.next()) write(out, token, tokens.element());
    return true;
  }

 private:
  void write(LineWriter& out, Token token, const QuotedText& quoted) const {
    switch (token) {
      case Token::kOpen: return out.literal("[");
      case Token::kClose: return out.literal("]");
      case Token::kDelimiter: return out.literal(",");
      case Token::kNull: return out.literal("null");
      default: break;
    }
    const std::string_view plain = quoted.plain(scratch_);
    if (!element_->write(out, plain)) out.text_instead(plain);
  }

  std::unique_ptr<const CellWriter> element_;
  char delimiter_;
  mutable ByteBuffer scratch_;
};

}  // namespace

std::unique_ptr<const CellWriter> array_writer(std::unique_ptr<const CellWriter> element, char delimiter) {
  return std::make_unique<const ArrayWriter>(std::move(element), delimiter);
}

}  // namespace walcat

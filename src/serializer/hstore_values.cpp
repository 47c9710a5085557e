#include "hstore_values.h"

#include "quoted_text.h"

namespace walcat {

namespace {

struct Pair {
  QuotedText key;
  QuotedText value;
  bool is_null = false;
};

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

bool take_quoted_text(std::string_view& text, QuotedText& quoted) {
  return text.starts_with('"') && take_quoted(text, quoted);
}

bool take_pair(std::string_view& text, Pair& pair) {
  if (!take_quoted_text(text, pair.key) || !take(text, "=>")) return false;
  pair.is_null = take(text, "NULL");
  return pair.is_null || take_quoted_text(text, pair.value);
}

// Calls `visit` for each pair; false if the text is no hstore.
template <typename Visit>
bool visit_pairs(std::string_view text, Visit visit) {
  Pair pair;
  while (!text.empty()) {
    if (!take_pair(text, pair)) return false;
    visit(pair);
    if (!text.empty() && (!take(text, ", ") || text.empty())) return false;
  }
  return true;
}

bool is_hstore(std::string_view text) {
  return visit_pairs(text, [](const Pair&) {});
}

class ObjectWriter final : public CellWriter {
 public:
  bool write(LineWriter& out, std::string_view text) const override {
    if (!is_hstore(text)) return false;
    bool is_first = true;
    out.literal("{");
    visit_pairs(text, [&](const Pair& pair) {
      if (!is_first) out.literal(",");
      is_first = false;
      write(out, pair);
    });
    out.literal("}");
    return true;
  }

 private:
  void write(LineWriter& out, const Pair& pair) const {
    out.string(pair.key.plain(scratch_));
    out.literal(":");
    if (pair.is_null) return out.literal("null");
    out.string(pair.value.plain(scratch_));
  }

  mutable ByteBuffer scratch_{kScratchStart};
};

class StringWriter final : public CellWriter {
 public:
  bool write(LineWriter& out, std::string_view text) const override {
    json_.clear(kScratchKept);
    LineWriter inner(json_);
    if (!object_.write(inner, text)) return false;
    inner.close();
    out.string(json_.view());
    return true;
  }

 private:
  ObjectWriter object_;
  mutable ByteBuffer json_{kScratchStart};
};

}  // namespace

std::unique_ptr<const CellWriter> hstore_object_writer() { return std::make_unique<const ObjectWriter>(); }

std::unique_ptr<const CellWriter> hstore_string_writer() { return std::make_unique<const StringWriter>(); }

}  // namespace walcat

#include "yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>
#include <utility>

#include "walcat/base/utf8.h"

namespace walcat::config {

namespace {

// Far above any real configuration; stops aliases of aliases of aliases.
constexpr std::size_t kMostNodes = 200'000;
constexpr std::size_t kMostBytes = std::size_t{32} << 20;

struct Size {
  std::size_t nodes = 0;
  // Of texts and keys.
  std::size_t bytes = 0;
};

void add_size(const Node& node, Size& size) {
  ++size.nodes;
  size.bytes += node.text.size();
  for (const Node& element : node.elements) add_size(element, size);
  for (const Member& member : node.members) {
    size.bytes += member.key.size();
    add_size(member.value, size);
  }
}

// Builds the tree from the parser's events, which keep what its own tree drops: a second document, a repeated key.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(int override_index) : override_index_(override_index) {}

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) throw YAML::ParserException(mark, "a second document; one file holds one configuration");
    started_ = true;
    root_.place = place(mark);
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { finish(mark, anchor, fresh(mark)); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = fresh(mark);
    node.kind = Node::Kind::kScalar;
    node.text = value;
    // The parser's own sign for a scalar that is not plain is the tag "!".
    node.style = tag == "!" || tag == "tag:yaml.org,2002:str" ? Node::Style::kQuoted : Node::Style::kPlain;
    if (node.style == Node::Style::kPlain) refuse_tag(mark, tag);
    finish(mark, anchor, std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw YAML::ParserException(mark, "an alias inside the value that it names");
    Size size;
    add_size(found->second, size);
    count(mark, size);
    finish(mark, YAML::NullAnchor, found->second);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(mark, anchor, Node::Kind::kList);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(mark, anchor, Node::Kind::kMap);
  }
  void OnMapEnd() override { close(); }

 private:
  // A list or mapping whose end has not come yet.
  struct Open {
    Node node;
    YAML::Mark mark;
    YAML::anchor_t anchor;
    bool has_key = false;
    std::string key;
    Place key_place;
  };

  Place place(const YAML::Mark& mark) const { return {mark.line + 1, mark.column + 1, override_index_}; }

  Node fresh(const YAML::Mark& mark) const {
    Node node;
    node.place = place(mark);
    return node;
  }

  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") throw YAML::ParserException(mark, "tags are not supported");
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind) {
    open_.push_back({fresh(mark), mark, anchor, false, {}, {}});
    open_.back().node.kind = kind;
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    finish(done.mark, done.anchor, std::move(done.node));
  }

  void count(const YAML::Mark& mark, const Size& size) {
    size_.nodes += size.nodes;
    size_.bytes += size.bytes;
    if (size_.nodes > kMostNodes) throw YAML::ParserException(mark, "too many values");
    if (size_.bytes > kMostBytes) throw YAML::ParserException(mark, "aliases repeat more than 32 MiB of text");
  }

  void finish(const YAML::Mark& mark, YAML::anchor_t anchor, Node node) {
    count(mark, {1, 0});
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      attach(mark, std::move(node));
    }
  }

  void attach(const YAML::Mark& mark, Node node) {
    Open& parent = open_.back();
    // A value left out is marked where the next token stands, which may be lines below.
    if (node.kind == Node::Kind::kNull) node.place = parent.has_key ? parent.key_place : parent.node.place;
    if (parent.node.kind == Node::Kind::kList) {
      parent.node.elements.push_back(std::move(node));
    } else if (parent.has_key) {
      parent.node.members.push_back({std::move(parent.key), parent.key_place, std::move(node)});
      parent.has_key = false;
    } else {
      if (node.kind != Node::Kind::kScalar) throw YAML::ParserException(mark, "a key that is not text");
      parent.has_key = true;
      parent.key = std::move(node.text);
      parent.key_place = node.place;
    }
  }

  int override_index_;
  bool started_ = false;
  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  Size size_;
};

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

// The library turns bad bytes into U+FFFD and takes byte 4 for the end of the file, both without a word.
bool check_characters(std::string_view text, int override_index, Faults& faults) {
  Place place{1, 1, override_index};
  while (!text.empty()) {
    const Utf8Piece piece = next_piece(text);
    if (!piece.is_valid || is_control(text.front())) {
      faults.add(place, "", piece.is_valid ? "a control character" : "bytes that are not UTF-8");
      return false;
    }
    const bool newline = text.front() == '\n';
    place.line += newline ? 1 : 0;
    place.column = newline ? 1 : place.column + 1;
    text.remove_prefix(piece.size);
  }
  return true;
}

}  // namespace

std::optional<Node> parse_yaml(const std::string& text, int override_index, Faults& faults) {
  if (!check_characters(text, override_index, faults)) return std::nullopt;
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    TreeBuilder builder(override_index);
    while (parser.HandleNextDocument(builder)) {
    }
    Node root = builder.take_root();
    root.place.override_index = override_index;
    return root;
  } catch (const YAML::Exception& error) {
    const Place place{error.mark.line + 1, error.mark.column + 1, override_index};
    faults.add(place, "", "cannot be read as YAML: " + error.msg);
    return std::nullopt;
  }
}

}  // namespace walcat::config

#include "relation_descriptions.h"

#include <utility>

#include "walcat/base/byte_reader.h"
#include "walcat/reader/xlog_frame.h"

namespace walcat {

namespace {

// Of a relation's columns, of which there are 1600 at most.
constexpr std::size_t kTypesMost = 1'600;

// What the server says of a relation may come again at another time.
bool say_the_same(std::string_view one, std::string_view other) {
  return one.substr(kXLogDataHeader) == other.substr(kXLogDataHeader);
}

}  // namespace

std::vector<std::uint32_t> RelationDescriptions::relations_of(std::string_view frame) {
  ByteReader reader(message_body(frame));
  std::uint32_t count = 0;
  switch (message_kind(frame)) {
    case 'I':
    case 'U':
    case 'D': count = 1; break;
    case 'T':
      count = reader.u32();
      reader.u8();
      break;
    default: break;
  }
  std::vector<std::uint32_t> relations;
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) relations.push_back(reader.u32());
  if (reader.failed() && !relations.empty()) relations.pop_back();
  return relations;
}

std::uint32_t RelationDescriptions::described_by(std::string_view frame) {
  return ByteReader(message_body(frame)).u32();
}

bool RelationDescriptions::gather(Frames& gathered, std::string_view frame) {
  const char kind = message_kind(frame);
  if (kind == 'R' || kind == 'Y') {
    if (kind == 'Y' && gathered.size() == kTypesMost) gathered.clear();
    gathered.emplace_back(frame);
  } else if (!gathered.empty()) {
    gathered.clear();
  }
  return kind == 'R';
}

void RelationDescriptions::pass(std::string_view frame) {
  if (!gather(gathered_passed_, frame)) return;
  const std::uint32_t relation = described_by(frame);
  newest_[relation] = std::exchange(gathered_passed_, {});
  missing_.erase(relation);
}

void RelationDescriptions::keep(std::string_view frame) {
  if (!gather(gathered_kept_, frame)) return;
  const std::uint32_t relation = described_by(frame);
  newest_[relation] = std::exchange(gathered_kept_, {});
  missing_.insert(relation);
}

void RelationDescriptions::replay(std::string_view frame) {
  if (message_kind(frame) != 'R') return;
  const auto newest = newest_.find(described_by(frame));
  if (newest == newest_.end()) return;
  if (say_the_same(newest->second.back(), frame)) {
    missing_.erase(newest->first);
  } else {
    missing_.insert(newest->first);
  }
}

RelationDescriptions::Frames RelationDescriptions::take_missing(std::string_view frame) {
  Frames taken;
  if (missing_.empty()) return taken;
  for (const std::uint32_t relation : relations_of(frame)) {
    if (missing_.erase(relation) == 0) continue;
    const Frames& newest = newest_.at(relation);
    taken.insert(taken.end(), newest.begin(), newest.end());
  }
  return taken;
}

const RelationDescriptions::Frames* RelationDescriptions::find(std::uint32_t relation) const {
  const auto newest = newest_.find(relation);
  return newest == newest_.end() ? nullptr : &newest->second;
}

void RelationDescriptions::clear() {
  newest_.clear();
  missing_.clear();
  gathered_passed_.clear();
  gathered_kept_.clear();
}

}  // namespace walcat

#include "walcat/model/topics.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace walcat {

namespace {

constexpr std::size_t kTopicMost = 249;
constexpr std::size_t kSurprisesShown = 3;
// {op} is told apart from nothing here: one letter stands for all.
constexpr char kAnyOperation = 'c';

std::string shown(std::string_view label, const TopicTemplate::Table& table) {
  return fmt::format("\"{}\".\"{}\" of {}", table.schema, table.table, label);
}

std::string in_metrics(std::string topic) {
  std::replace(topic.begin(), topic.end(), '.', '_');
  return topic;
}

}  // namespace

std::string legal_topic(std::string name) {
  for (char& c : name) {
    const bool is_legal =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!is_legal) c = '_';
  }
  return name;
}

TopicTemplate::TopicTemplate(const std::string& text, const std::string& connector) {
  using Kind = Piece::Kind;
  for (std::size_t at = 0; at < text.size();) {
    const auto open = text.find('{', at);
    const auto close = open == std::string::npos ? open : text.find('}', open);
    pieces_.push_back({Kind::kText, text.substr(at, open == std::string::npos ? open : open - at)});
    if (close == std::string::npos) break;
    const std::string name = text.substr(open + 1, close - open - 1);
    if (name == "connector") pieces_.push_back({Kind::kText, connector});
    if (name == "database") pieces_.push_back({Kind::kDatabase, {}});
    if (name == "schema") pieces_.push_back({Kind::kSchema, {}});
    if (name == "table") pieces_.push_back({Kind::kTable, {}});
    if (name == "op") pieces_.push_back({Kind::kOperation, {}});
    at = close + 1;
  }
}

std::string TopicTemplate::topic(const Table& table, char operation) const {
  std::string name;
  for (const Piece& piece : pieces_) {
    switch (piece.kind) {
      case Piece::Kind::kText: name += piece.text; break;
      case Piece::Kind::kDatabase: name += table.database; break;
      case Piece::Kind::kSchema: name += table.schema; break;
      case Piece::Kind::kTable: name += table.table; break;
      case Piece::Kind::kOperation: name += operation; break;
    }
  }
  return legal_topic(std::move(name));
}

bool TopicTemplate::has(Piece::Kind kind) const {
  return std::any_of(pieces_.begin(), pieces_.end(), [kind](const Piece& piece) { return piece.kind == kind; });
}

std::string TopicTemplate::identity(const Table& table) const {
  // No name holds a NUL.
  std::string identity;
  if (has(Piece::Kind::kDatabase)) identity += table.database;
  identity += '\0';
  if (has(Piece::Kind::kSchema)) identity += table.schema;
  identity += '\0';
  if (has(Piece::Kind::kTable)) identity += table.table;
  return identity;
}

Topics::Topics(const std::string& text, const std::string& connector, const std::map<std::string, std::string>& taken)
    : template_(text, connector) {
  for (const auto& [topic, purpose] : taken) {
    owners_[topic] = {purpose, {}, purpose};
    in_metrics_[in_metrics(topic)] = topic;
  }
}

Status Topics::enter(std::string_view label, const TopicTemplate::Table& table) {
  const std::string topic = template_.topic(table, kAnyOperation);
  const std::string identity = template_.identity(table);
  const std::string name = shown(label, table);
  if (topic.size() > kTopicMost || topic == "." || topic == "..") {
    return {
        StatusCode::kRefused,
        fmt::format("topic {} of table {}: Kafka takes 1 to {} bytes, and neither . nor ..; hint: change output.topic",
                    topic, name, kTopicMost)};
  }
  const std::lock_guard lock(mutex_);
  const auto [owner, is_new] = owners_.try_emplace(topic, Owner{identity, std::string(label), name});
  if (owner->second.identity != identity) {
    return {
        StatusCode::kRefused,
        fmt::format("topic {} would hold the records of {} and of {}, whose keys overwrite each other when it is "
                    "compacted; hint: rename one of the tables, leave it out (exclude_tables), or change output.topic",
                    topic, owner->second.name, name)};
  }
  if (owner->second.label != label && template_.has_table() && !template_.has_database()) {
    note(fmt::format("{} holds the records of {} and of {}, as output.topic does not name the {{database}}", topic,
                     owner->second.name, name));
  }
  const auto [likeness, is_first] = in_metrics_.try_emplace(in_metrics(topic), topic);
  if (is_new && !is_first && likeness->second != topic) {
    note(fmt::format("{} and {} are one name in Kafka's metrics, so a broker refuses to make the second",
                     likeness->second, topic));
  }
  return Status::ok();
}

void Topics::note(std::string surprise) {
  if (told_.insert(surprise).second) surprises_.push_back(std::move(surprise));
}

std::string Topics::take_surprises() {
  const std::lock_guard lock(mutex_);
  const std::vector<std::string> taken = std::exchange(surprises_, {});
  const std::size_t count = std::min(taken.size(), kSurprisesShown);
  std::string text =
      fmt::format("{}", fmt::join(taken.begin(), taken.begin() + static_cast<std::ptrdiff_t>(count), "; "));
  if (count < taken.size()) text += fmt::format("; and {} more such", taken.size() - count);
  return text;
}

}  // namespace walcat

#include "walcat/reader/snapshot_signal.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <utility>

#include "walcat/base/json_string.h"
#include "walcat/base/printable.h"
#include "walcat/selection/digest.h"

namespace walcat {

namespace {

using Kind = SnapshotSignal::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 4> kAsks{
    {{"start", Kind::kStart}, {"pause", Kind::kPause}, {"resume", Kind::kResume}, {"cancel", Kind::kCancel}}};

constexpr std::size_t kIdMost = 64;
// A name's bytes on the server.
constexpr std::size_t kChannelMost = 63;
constexpr std::size_t kQuotedMost = 60;

Status wrong(const std::string& what) { return {StatusCode::kRefused, "message walcat.snapshot: " + what}; }

std::string text_of(simdjson::dom::element json, const char* key) {
  simdjson::dom::element value;
  if (json[key].get(value) != simdjson::SUCCESS || !value.is_string()) return {};
  return std::string(std::string_view(value));
}

// What may stand everywhere: in SQL, in logs, in files.
bool is_plain(std::string_view text, std::size_t most) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  return !text.empty() && text.size() <= most && text.find_first_not_of(kPlain) == std::string_view::npos;
}

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

std::string digest_of(std::string_view content) {
  std::string digest;
  selection::write_digest(ColumnRule::Digest::kSha256, "", content, digest);
  return digest;
}

Result<IncrementalSnapshot> read_start(simdjson::dom::element json) {
  IncrementalSnapshot snapshot;
  simdjson::dom::element where;
  if (json["where"].get(where) == simdjson::SUCCESS && !where.is_string())
    return wrong("where: expected SQL as a text");
  snapshot.where = text_of(json, "where");
  if (has_nul(snapshot.where)) return wrong("where: holds a NUL byte");
  simdjson::dom::array tables;
  if (json["tables"].get(tables) != simdjson::SUCCESS) return wrong("tables is missing; expected a list of names");
  for (const simdjson::dom::element element : tables) {
    std::string_view text;
    if (element.get(text) != simdjson::SUCCESS) return wrong("tables: expected names such as \"public.orders\"");
    auto table = has_nul(text) ? std::nullopt : TableName::parse(text);
    if (!table) {
      return wrong(fmt::format("tables: found \"{}\"; expected schema.table", printable(text, kQuotedMost)));
    }
    if (snapshot.tables.size() == kTablesInSignalMost) {
      return wrong(fmt::format("tables: expected {} at most", kTablesInSignalMost));
    }
    snapshot.tables.push_back(std::move(*table));
  }
  if (snapshot.tables.empty()) return wrong("tables is empty");
  simdjson::dom::element rate;
  if (json["rows_per_second"].get(rate) == simdjson::SUCCESS &&
      rate.get(snapshot.rows_per_second) != simdjson::SUCCESS) {
    return wrong("rows_per_second: expected a number of rows, 0 for no limit");
  }
  return snapshot;
}

}  // namespace

Result<std::optional<SnapshotSignal>> parse_snapshot_signal(std::string_view content, const std::string& slot) {
  if (content.size() > kSignalBytesMost) {
    return wrong(fmt::format("{} bytes; expected {} at most", content.size(), kSignalBytesMost));
  }
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  const simdjson::padded_string padded(content);
  if (parser.parse(padded).get(json) != simdjson::SUCCESS || !json.is_object()) return wrong("not a JSON object");
  if (text_of(json, "slot") != slot) return std::optional<SnapshotSignal>();
  SnapshotSignal signal;
  signal.mark = text_of(json, "mark");
  if (!signal.mark.empty()) return std::optional(signal);
  const std::string ask = text_of(json, "ask");
  for (const auto& [name, kind] : kAsks) {
    if (ask != name) continue;
    signal.kind = kind;
    const std::string id = text_of(json, "id");
    if (!is_plain(id, kIdMost))
      return wrong("id: expected 1 to 64 of A-Z, a-z, 0-9, _ and -, that no other question has");
    simdjson::dom::element channel;
    const std::string heard_on = text_of(json, "channel");
    if (json["channel"].get(channel) == simdjson::SUCCESS && !is_plain(heard_on, kChannelMost))
      return wrong("channel: expected 1 to 63 of A-Z, a-z, 0-9, _ and -");
    if (kind == Kind::kStart) {
      auto snapshot = read_start(json);
      if (!snapshot.is_ok()) return snapshot.status();
      signal.snapshot = std::move(*snapshot);
    }
    signal.snapshot.id = id;
    signal.snapshot.channel = heard_on;
    signal.digest = digest_of(content);
    return std::optional(signal);
  }
  return wrong(fmt::format("ask: found \"{}\"; expected start, pause, resume or cancel", printable(ask, kQuotedMost)));
}

std::string to_message(const SnapshotSignal& signal, const std::string& slot) {
  const std::string head = fmt::format("{{\"slot\":{}", json_string(slot));
  if (signal.kind == Kind::kMark) return fmt::format("{},\"mark\":{}}}", head, json_string(signal.mark));
  std::string ask;
  for (const auto& [name, kind] : kAsks) {
    if (kind == signal.kind) ask = name;
  }
  std::string question = fmt::format("{},\"ask\":\"{}\",\"id\":{}", head, ask, json_string(signal.snapshot.id));
  if (!signal.snapshot.channel.empty()) question += ",\"channel\":" + json_string(signal.snapshot.channel);
  if (signal.kind != Kind::kStart) return question + "}";
  std::string tables;
  for (const TableName& table : signal.snapshot.tables) {
    tables += (tables.empty() ? "" : ",") + json_string(table.to_string());
  }
  return fmt::format(R"({},"tables":[{}],"where":{},"rows_per_second":{}}})", question, tables,
                     json_string(signal.snapshot.where), signal.snapshot.rows_per_second);
}

}  // namespace walcat

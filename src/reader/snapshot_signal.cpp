#include "walcat/reader/snapshot_signal.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <utility>

#include "walcat/base/json_string.h"

namespace walcat {

namespace {

using Kind = SnapshotSignal::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 4> kAsks{
    {{"start", Kind::kStart}, {"pause", Kind::kPause}, {"resume", Kind::kResume}, {"cancel", Kind::kCancel}}};

// Within an application_name's 63 bytes.
constexpr std::size_t kIdMost = 40;

Status wrong(const std::string& what) { return {StatusCode::kRefused, "message walcat.snapshot: " + what}; }

std::string text_of(simdjson::dom::element json, const char* key) {
  simdjson::dom::element value;
  if (json[key].get(value) != simdjson::SUCCESS || !value.is_string()) return {};
  return std::string(std::string_view(value));
}

Result<IncrementalSnapshot> read_start(simdjson::dom::element json) {
  IncrementalSnapshot snapshot;
  simdjson::dom::element where;
  if (json["where"].get(where) == simdjson::SUCCESS && !where.is_string())
    return wrong("where: expected SQL as a text");
  snapshot.where = text_of(json, "where");
  simdjson::dom::array tables;
  if (json["tables"].get(tables) != simdjson::SUCCESS) return wrong("tables is missing; expected a list of names");
  for (const simdjson::dom::element element : tables) {
    std::string_view text;
    if (element.get(text) != simdjson::SUCCESS) return wrong("tables: expected names such as \"public.orders\"");
    auto table = TableName::parse(text);
    if (!table) return wrong(fmt::format("tables: found \"{}\"; expected schema.table", text));
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
    if (id.empty() || id.size() > kIdMost)
      return wrong("id: expected a text of 1 to 40 bytes that no other question has");
    if (kind == Kind::kStart) {
      auto snapshot = read_start(json);
      if (!snapshot.is_ok()) return snapshot.status();
      signal.snapshot = std::move(*snapshot);
    }
    signal.snapshot.id = id;
    return std::optional(signal);
  }
  return wrong(fmt::format("ask: found \"{}\"; expected start, pause, resume or cancel", ask));
}

std::string to_message(const SnapshotSignal& signal, const std::string& slot) {
  const std::string head = fmt::format("{{\"slot\":{}", json_string(slot));
  if (signal.kind == Kind::kMark) return fmt::format("{},\"mark\":{}}}", head, json_string(signal.mark));
  std::string ask;
  for (const auto& [name, kind] : kAsks) {
    if (kind == signal.kind) ask = name;
  }
  if (signal.kind != Kind::kStart) {
    return fmt::format("{},\"ask\":\"{}\",\"id\":{}}}", head, ask, json_string(signal.snapshot.id));
  }
  std::string tables;
  for (const TableName& table : signal.snapshot.tables) {
    tables += (tables.empty() ? "" : ",") + json_string(table.to_string());
  }
  return fmt::format(R"({},"ask":"start","id":{},"tables":[{}],"where":{},"rows_per_second":{}}})", head,
                     json_string(signal.snapshot.id), tables, json_string(signal.snapshot.where),
                     signal.snapshot.rows_per_second);
}

}  // namespace walcat

#include "walcat/offsets/offset_file.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <set>
#include <system_error>

#include "walcat/base/json_string.h"
#include "walcat/base/private_file.h"

namespace walcat {

namespace {

constexpr std::int64_t kVersion = 1;
// Above what a table is ever cut into, and all tables of a database.
constexpr std::uint64_t kChunksMost = std::uint64_t{1} << 21;
constexpr std::uint64_t kAllChunksMost = std::uint64_t{1} << 26;
// Bytes; half a million tables take less.
constexpr std::size_t kBytesMost = std::size_t{64} << 20;

Status unreadable(const std::string& path, const std::string& reason) {
  return Status(StatusCode::kGap,
                fmt::format("offset file {}: {}; hint: restore the file, or delete it to go on from the slot's own "
                            "position (snapshot.mode says whether rows are read anew)",
                            path, reason))
      .with_kind(FaultKind::kOffset);
}

Status not_done(const std::string& path, const FileFault& fault) {
  return Status(StatusCode::kUnavailable,
                fmt::format("offset file {}: {}: {}", path, fault.step, std::generic_category().message(fault.error)))
      .with_kind(FaultKind::kOffset);
}

// The chunks that are done, as `0-11,13`.
std::string print_ranges(const std::vector<bool>& done) {
  std::string text;
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (!done[i]) continue;
    std::size_t last = i;
    while (last + 1 < done.size() && done[last + 1]) ++last;
    if (!text.empty()) text += ',';
    text += i == last ? std::to_string(i) : fmt::format("{}-{}", i, last);
    i = last;
  }
  return text;
}

std::size_t read_number(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
  }
  return number;
}

// They ascend, as they were written.
void read_ranges(std::string_view text, std::vector<bool>& done) {
  for (std::size_t begin = 0; !text.empty();) {
    const auto comma = text.find(',');
    const std::string_view range = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const auto dash = range.find('-');
    const std::size_t first = read_number(range.substr(0, dash));
    const std::size_t last = dash == std::string_view::npos ? first : read_number(range.substr(dash + 1));
    if (first < begin || first > last || last >= done.size())
      throw simdjson::simdjson_error(simdjson::NUMBER_OUT_OF_RANGE);
    std::fill(done.begin() + static_cast<std::ptrdiff_t>(first), done.begin() + static_cast<std::ptrdiff_t>(last) + 1,
              true);
    begin = last + 1;
  }
}

std::string to_json(const SnapshotProgress& snapshot) {
  std::string tables;
  for (const SnapshotProgress::Table& table : snapshot.tables) {
    tables += fmt::format(
        R"({}{{"table":{},"oid":{},"filenode":{},"chunk_pages":{},"chunks":{},"done":"{}","mixed":{},"rewritten":{}}})",
        tables.empty() ? "" : ",", json_string(table.name), table.oid, table.filenode, table.chunk_pages,
        table.done.size(), print_ranges(table.done), table.is_mixed, table.is_rewritten);
  }
  return fmt::format(
      R"("snapshot":{{"point":"{}","began":{},"visible":{},"sessions":{},"complete":{},"tables":[{}]}},)",
      snapshot.point.to_string(), snapshot.began, json_string(snapshot.visible), snapshot.sessions, snapshot.complete,
      tables);
}

template <typename Items, typename Print>
std::string json_list(const Items& items, Print print) {
  std::string list;
  for (const auto& item : items) list += (list.empty() ? "" : ",") + print(item);
  return "[" + list + "]";
}

std::string json_name(const TableName& name) { return json_string(name.to_string()); }

std::string to_json(const IncrementalSnapshot& snapshot) {
  const std::string part = snapshot.part.table.empty() ? "" : snapshot.part.to_string();
  return fmt::format(
      R"({{"id":{},"channel":{},"tables":{},"parts":[{}],"where":{},"rows_per_second":{},"paused":{},"added":{},"part":{},"key":{},"last_key":{},)"
      R"("seen_xid":{}}})",
      json_string(snapshot.id), json_string(snapshot.channel), json_list(snapshot.tables, json_name),
      fmt::join(snapshot.parts, ","), json_string(snapshot.where), snapshot.rows_per_second, snapshot.is_paused,
      snapshot.is_added, json_string(part), json_list(snapshot.key, json_string),
      json_list(snapshot.last_key, json_string), snapshot.seen_xid);
}

std::string to_json(const CapturedTables& captured) {
  return fmt::format(R"("captured":{{"tables":{},"include":{},"exclude":{}}},)", json_list(captured.tables, json_name),
                     json_list(captured.include_tables, json_string), json_list(captured.exclude_tables, json_string));
}

std::string to_json(const RememberedTable& table) {
  const auto print_layout = [](const TableLayout& layout) {
    return fmt::format(R"({{"table":{},"columns":{}}})", json_name(layout.name),
                       json_list(layout.columns, json_string));
  };
  const auto print_number = [](const auto& column) {
    return fmt::format(R"({{"attnum":{},"column":{}}})", column.first, json_string(column.second));
  };
  const auto print_dropped = [](const auto& column) {
    return fmt::format(R"({{"column":{},"before":"{}"}})", json_string(column.first), column.second.to_string());
  };
  return fmt::format(
      R"({{"oid":{},"layout":{},"hidden":{},"numbers":{},"dropped":{},"printed":{},"until":"{}","index":{},)"
      R"("masked":{},"let_through":{},"parts":{},"former":{},"excluded":{},"kept_out":{},"is_let_through":{},"from_catalog":{}}})",
      table.oid, print_layout(table.layout), json_list(table.hidden, json_string),
      json_list(table.numbers, print_number), json_list(table.dropped, print_dropped),
      json_list(table.printed, print_layout), table.until.commit_lsn.to_string(), table.until.index,
      json_list(table.masked, json_string), json_list(table.let_through, json_string),
      fmt::format("[{}]", fmt::join(table.parts, ",")), json_list(table.former, json_string), table.is_excluded,
      table.is_kept_out, table.is_let_through, table.is_from_catalog);
}

std::string to_json(const FollowedTable& table) {
  return fmt::format(R"({{"oid":{},"table":{},"membership":{},"since":"{}"}})", table.oid, json_name(table.name),
                     json_string(table.membership), table.since.to_string());
}

std::string to_json(const Offset& offset) {
  std::string open;
  if (offset.done.open_changes > 0) {
    open = fmt::format(R"("open_transaction":{{"commit_lsn":"{}","changes":{}}},)",
                       offset.done.open_commit_lsn.to_string(), offset.done.open_changes);
  }
  std::string snapshot = offset.snapshot ? to_json(*offset.snapshot) : std::string();
  if (!offset.incremental.empty()) {
    const auto print = [](const IncrementalSnapshot& incremental) { return to_json(incremental); };
    snapshot += "\"incremental\":" + json_list(offset.incremental, print) + ",";
  }
  if (offset.captured) snapshot += to_json(*offset.captured);
  if (!offset.remembered.empty()) {
    const auto print = [](const RememberedTable& table) { return to_json(table); };
    snapshot += "\"remembered\":" + json_list(offset.remembered, print) + ",";
  }
  if (!offset.configured_slots.empty()) {
    snapshot += "\"configured_slots\":" + json_list(offset.configured_slots, json_string) + ",";
  }
  if (offset.published) {
    const auto print = [](const FollowedTable& table) { return to_json(table); };
    snapshot += "\"published\":" + json_list(*offset.published, print) + ",";
  }
  if (!offset.listed.empty()) {
    const auto print = [](const ListedTable& table) {
      return fmt::format(R"({{"oid":{},"table":{}}})", table.oid, json_name(table.name));
    };
    snapshot += "\"listed\":" + json_list(offset.listed, print) + ",";
  }
  return fmt::format(
      R"({{"version":{},"system_identifier":{},"timeline":{},"database":{},"slot":{},"publication":{},"position":"{}",{}{})"
      R"("stored_at":"{:%Y-%m-%dT%H:%M:%SZ}"}})"
      "\n",
      kVersion, json_string(offset.system_identifier), offset.timeline, json_string(offset.database),
      json_string(offset.slot), json_string(offset.publication), offset.done.position.to_string(), open, snapshot,
      fmt::gmtime(std::time(nullptr)));
}

Lsn read_lsn(simdjson::dom::element value) {
  const auto lsn = Lsn::parse(std::string_view(value));
  if (!lsn) throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
  return *lsn;
}

std::uint32_t read_u32(simdjson::dom::element value) {
  const std::uint64_t number(value);
  if (number > UINT32_MAX) throw simdjson::simdjson_error(simdjson::NUMBER_OUT_OF_RANGE);
  return static_cast<std::uint32_t>(number);
}

SnapshotProgress read_snapshot(simdjson::dom::element json) {
  SnapshotProgress snapshot;
  snapshot.point = read_lsn(json["point"]);
  snapshot.began = std::int64_t(json["began"]);
  snapshot.visible = std::string_view(json["visible"]);
  snapshot.sessions = read_u32(json["sessions"]);
  if (snapshot.sessions == 0) throw simdjson::simdjson_error(simdjson::NUMBER_OUT_OF_RANGE);
  snapshot.complete = bool(json["complete"]);
  std::uint64_t all_chunks = 0;
  for (const simdjson::dom::element element : simdjson::dom::array(json["tables"])) {
    SnapshotProgress::Table& table = snapshot.tables.emplace_back();
    table.name = std::string_view(element["table"]);
    table.oid = read_u32(element["oid"]);
    table.filenode = read_u32(element["filenode"]);
    table.chunk_pages = read_u32(element["chunk_pages"]);
    const std::uint64_t chunks(element["chunks"]);
    all_chunks += chunks <= kChunksMost ? chunks : kAllChunksMost + 1;
    if (all_chunks > kAllChunksMost || (chunks > 1 && table.chunk_pages == 0))
      throw simdjson::simdjson_error(simdjson::NUMBER_OUT_OF_RANGE);
    table.done.resize(chunks);
    read_ranges(std::string_view(element["done"]), table.done);
    table.is_mixed = bool(element["mixed"]);
    table.is_rewritten = bool(element["rewritten"]);
  }
  return snapshot;
}

TableName read_name(simdjson::dom::element value) {
  auto name = TableName::parse(std::string_view(value));
  if (!name) throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
  return std::move(*name);
}

template <typename T, typename Read>
std::vector<T> read_list(simdjson::dom::element value, Read read) {
  std::vector<T> list;
  for (const simdjson::dom::element element : simdjson::dom::array(value)) list.push_back(read(element));
  return list;
}

std::string read_text(simdjson::dom::element value) { return std::string(std::string_view(value)); }

IncrementalSnapshot read_incremental(simdjson::dom::element json) {
  IncrementalSnapshot snapshot;
  snapshot.id = read_text(json["id"]);
  simdjson::dom::element channel;
  // Nobody hears of those that earlier versions have begun.
  if (json["channel"].get(channel) == simdjson::SUCCESS) snapshot.channel = read_text(channel);
  snapshot.tables = read_list<TableName>(json["tables"], read_name);
  simdjson::dom::element parts;
  if (json["parts"].get(parts) == simdjson::SUCCESS) snapshot.parts = read_list<std::uint32_t>(parts, read_u32);
  snapshot.where = read_text(json["where"]);
  snapshot.rows_per_second = std::uint64_t(json["rows_per_second"]);
  snapshot.is_paused = bool(json["paused"]);
  snapshot.is_added = bool(json["added"]);
  if (!std::string_view(json["part"]).empty()) snapshot.part = read_name(json["part"]);
  snapshot.key = read_list<std::string>(json["key"], read_text);
  snapshot.last_key = read_list<std::string>(json["last_key"], read_text);
  snapshot.seen_xid = std::uint64_t(json["seen_xid"]);
  return snapshot;
}

std::set<std::string> read_texts(simdjson::dom::element value) {
  std::set<std::string> texts;
  for (const simdjson::dom::element element : simdjson::dom::array(value)) texts.insert(read_text(element));
  return texts;
}

TableLayout read_layout(simdjson::dom::element json) {
  return {read_name(json["table"]), read_list<std::string>(json["columns"], read_text)};
}

std::int16_t read_attnum(simdjson::dom::element value) {
  const std::int64_t number(value);
  if (number < 1 || number > INT16_MAX) throw simdjson::simdjson_error(simdjson::NUMBER_OUT_OF_RANGE);
  return static_cast<std::int16_t>(number);
}

RememberedTable read_remembered(simdjson::dom::element json) {
  RememberedTable table;
  table.oid = read_u32(json["oid"]);
  table.layout = read_layout(json["layout"]);
  table.hidden = read_texts(json["hidden"]);
  for (const simdjson::dom::element column : simdjson::dom::array(json["numbers"])) {
    table.numbers.emplace(read_attnum(column["attnum"]), read_text(column["column"]));
  }
  for (const simdjson::dom::element column : simdjson::dom::array(json["dropped"])) {
    table.dropped.emplace(read_text(column["column"]), read_lsn(column["before"]));
  }
  table.printed = read_list<TableLayout>(json["printed"], read_layout);
  table.until = {read_lsn(json["until"]), std::uint64_t(json["index"])};
  table.masked = read_texts(json["masked"]);
  table.let_through = read_texts(json["let_through"]);
  for (const simdjson::dom::element part : simdjson::dom::array(json["parts"])) table.parts.insert(read_u32(part));
  table.former = read_texts(json["former"]);
  table.is_excluded = bool(json["excluded"]);
  table.is_kept_out = bool(json["kept_out"]);
  table.is_let_through = bool(json["is_let_through"]);
  table.is_from_catalog = bool(json["from_catalog"]);
  return table;
}

FollowedTable read_followed(simdjson::dom::element json) {
  return {read_u32(json["oid"]), read_name(json["table"]), read_text(json["membership"]), read_lsn(json["since"])};
}

// Throws simdjson_error on whatever does not fit.
Offset from_json(simdjson::dom::element json) {
  if (std::int64_t(json["version"]) != kVersion) throw simdjson::simdjson_error(simdjson::NUMBER_OUT_OF_RANGE);
  Offset offset;
  offset.system_identifier = std::string_view(json["system_identifier"]);
  offset.timeline = read_u32(json["timeline"]);
  offset.database = std::string_view(json["database"]);
  offset.slot = std::string_view(json["slot"]);
  offset.publication = std::string_view(json["publication"]);
  offset.done.position = read_lsn(json["position"]);
  simdjson::dom::element open;
  if (json["open_transaction"].get(open) == simdjson::SUCCESS) {
    offset.done.open_commit_lsn = read_lsn(open["commit_lsn"]);
    offset.done.open_changes = std::uint64_t(open["changes"]);
    if (offset.done.open_changes == 0) throw simdjson::simdjson_error(simdjson::NUMBER_OUT_OF_RANGE);
  }
  simdjson::dom::element snapshot;
  if (json["snapshot"].get(snapshot) == simdjson::SUCCESS) offset.snapshot = read_snapshot(snapshot);
  simdjson::dom::element incremental;
  if (json["incremental"].get(incremental) == simdjson::SUCCESS) {
    offset.incremental = read_list<IncrementalSnapshot>(incremental, read_incremental);
  }
  simdjson::dom::element captured;
  if (json["captured"].get(captured) == simdjson::SUCCESS) {
    offset.captured = {read_list<TableName>(captured["tables"], read_name),
                       read_list<std::string>(captured["include"], read_text),
                       read_list<std::string>(captured["exclude"], read_text)};
  }
  simdjson::dom::element remembered;
  if (json["remembered"].get(remembered) == simdjson::SUCCESS) {
    offset.remembered = read_list<RememberedTable>(remembered, read_remembered);
  }
  simdjson::dom::element configured;
  if (json["configured_slots"].get(configured) == simdjson::SUCCESS) {
    offset.configured_slots = read_list<std::string>(configured, read_text);
  }
  simdjson::dom::element published;
  if (json["published"].get(published) == simdjson::SUCCESS) {
    offset.published = read_list<FollowedTable>(published, read_followed);
  }
  simdjson::dom::element listed;
  if (json["listed"].get(listed) == simdjson::SUCCESS) {
    const auto read = [](simdjson::dom::element table) {
      return ListedTable{read_u32(table["oid"]), read_name(table["table"])};
    };
    offset.listed = read_list<ListedTable>(listed, read);
  }
  return offset;
}

// A condition is run without asking again: whoever asked for its rows has gone.
Status check_writers(const std::string& path, const Offset& offset) {
  const auto with_condition = std::find_if(offset.incremental.begin(), offset.incremental.end(),
                                           [](const IncrementalSnapshot& snapshot) { return !snapshot.where.empty(); });
  struct stat about{};
  if (with_condition == offset.incremental.end() || ::stat(path.c_str(), &about) != 0) return Status::ok();
  const bool is_ours = about.st_uid == ::geteuid() || about.st_uid == 0;
  if (is_ours && (about.st_mode & (S_IWGRP | S_IWOTH)) == 0) return Status::ok();
  return {
      StatusCode::kRefused,
      fmt::format("offset file {} holds a condition in SQL, of incremental snapshot {}, and others may have written "
                  "it: owner {}, mode {:04o}; expected owner {}, mode 0600; hint: look at it, then chown and chmod",
                  path, with_condition->id, about.st_uid, about.st_mode & 07777U, ::geteuid())};
}

}  // namespace

std::string offset_path_for_slot(const std::string& base, const std::string& slot_name) {
  const std::filesystem::path path(base);
  const std::string name = path.stem().string() + "_" + slot_name + path.extension().string();
  return (path.parent_path() / name).string();
}

Result<std::optional<Offset>> OffsetFile::load() const {
  if (path_.empty()) return std::optional<Offset>();
  std::string text;
  bool is_there = false;
  if (const auto fault = read_regular_file(path_, kBytesMost, text, is_there)) {
    // What the machine refuses just now may be had later; only a bad file is a gap.
    return fault->error != 0 ? not_done(path_, *fault) : unreadable(path_, fault->step);
  }
  if (!is_there) return std::optional<Offset>();
  try {
    simdjson::dom::parser parser;
    auto offset = std::optional(from_json(parser.parse(text)));
    if (Status ours = check_writers(path_, *offset); !ours.is_ok()) return ours;
    return offset;
  } catch (const simdjson::simdjson_error& fault) {
    return unreadable(path_, fmt::format("not a walcat offset ({})", fault.what()));
  }
}

Status OffsetFile::store(const Offset& offset) const {
  if (path_.empty()) return Status::ok();
  const auto fault = replace_private_file(path_, to_json(offset));
  return fault ? not_done(path_, *fault) : Status::ok();
}

}  // namespace walcat

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <climits>
#include <ctime>
#include <iterator>
#include <string_view>
#include <utility>

#include "walcat/base/json_string.h"
#include "walcat/base/postgres_time.h"
#include "walcat/base/printable.h"
#include "walcat/capture/summary.h"

namespace walcat {

namespace {

using Count = std::pair<const char*, std::uint64_t StreamSummary::*>;

// In the order in which they are told.
constexpr std::array kCounts{
    Count{"sessions", &StreamSummary::sessions}, Count{"frames", &StreamSummary::frames},
    Count{"bytes", &StreamSummary::bytes},       Count{"transactions", &StreamSummary::transactions},
    Count{"inserts", &StreamSummary::inserts},   Count{"updates", &StreamSummary::updates},
    Count{"deletes", &StreamSummary::deletes},   Count{"truncates", &StreamSummary::truncates},
    Count{"messages", &StreamSummary::messages}, Count{"snapshot rows", &StreamSummary::snapshot_rows},
};

// What a capture says of its streams is whatever its maker wrote.
std::string shown(std::string_view text) { return printable(text, PATH_MAX); }

void put_row(std::string& text, std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(text), "  {:<20}{}\n", name, shown(value));
}

std::string_view compression_of(const CaptureFacts& file) {
  if (file.compressed_blocks == 0) return "none";
  return file.compressed_blocks == file.blocks ? "zstd" : "zstd in some blocks";
}

// Times that no clock says are left as numbers.
std::string time_text(std::int64_t postgres_micros) {
  const std::int64_t micros = unix_micros(postgres_micros);
  constexpr std::int64_t kYear10000 = 253'402'300'800'000'000;
  if (micros < 0 || micros >= kYear10000) return std::to_string(micros);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:06} UTC", fmt::gmtime(static_cast<std::time_t>(micros / 1'000'000)),
                     micros % 1'000'000);
}

void put_stream(std::string& text, const StreamSummary& stream) {
  const StreamIdentity& identity = *stream.identity;
  fmt::format_to(std::back_inserter(text), "stream {}\n", shown(identity.label));
  put_row(text, "database", identity.database);
  put_row(text, "slot", identity.slot);
  put_row(text, "publication", identity.publication);
  put_row(text, "server version", std::to_string(identity.server_version));
  put_row(text, "system identifier", identity.system_identifier);
  put_row(text, "timeline", std::to_string(identity.timeline));
  for (const auto& [name, count] : kCounts) put_row(text, name, std::to_string(stream.*count));
  if (stream.transactions > 0) {
    put_row(text, "first commit", stream.first_commit.to_string());
    put_row(text, "last commit", stream.last_commit.to_string());
  }
  if (stream.first_received) {
    put_row(text, "first received", time_text(*stream.first_received));
    put_row(text, "last received", time_text(*stream.last_received));
  }
}

std::string time_json(const std::optional<std::int64_t>& postgres_micros) {
  return postgres_micros ? std::to_string(unix_micros(*postgres_micros)) : "null";
}

std::string lsn_json(Lsn lsn) { return lsn ? json_string(lsn.to_string()) : "null"; }

std::string stream_json(const StreamSummary& stream) {
  const StreamIdentity& identity = *stream.identity;
  std::string json = "{";
  for (const auto& [name, value] : {std::pair{"label", &identity.label}, std::pair{"database", &identity.database},
                                    std::pair{"slot", &identity.slot}, std::pair{"publication", &identity.publication},
                                    std::pair{"system_identifier", &identity.system_identifier}}) {
    json += fmt::format("\"{}\":{},", name, json_string(*value));
  }
  json += fmt::format("\"timeline\":{},\"server_version\":{}", identity.timeline, identity.server_version);
  for (const auto& [name, count] : kCounts) {
    std::string key = name;
    for (char& letter : key) letter = letter == ' ' ? '_' : letter;
    json += fmt::format(",\"{}\":{}", key, stream.*count);
  }
  json += fmt::format(",\"first_commit_lsn\":{},\"last_commit_lsn\":{}", lsn_json(stream.first_commit),
                      lsn_json(stream.last_commit));
  json += fmt::format(",\"first_received_us\":{},\"last_received_us\":{}}}", time_json(stream.first_received),
                      time_json(stream.last_received));
  return json;
}

}  // namespace

std::string to_text(const CaptureSummary& summary) {
  std::string text = fmt::format("file {}\n", shown(summary.path));
  put_row(text, "version", std::to_string(summary.file.version));
  put_row(text, "bytes", std::to_string(summary.file.bytes));
  put_row(text, "blocks", std::to_string(summary.file.blocks));
  put_row(text, "compression", compression_of(summary.file));
  put_row(text, "uncompressed bytes", std::to_string(summary.file.record_bytes));
  put_row(text, "dead letters", std::to_string(summary.dead_letters));
  if (summary.torn_at) put_row(text, "torn at byte", std::to_string(*summary.torn_at));
  for (const StreamSummary& stream : summary.streams) put_stream(text, stream);
  return text;
}

std::string to_json(const CaptureSummary& summary) {
  std::string json = fmt::format(
      "{{\"file\":{},\"version\":{},\"bytes\":{},\"blocks\":{},\"compressed_blocks\":{},"
      "\"uncompressed_bytes\":{},\"dead_letters\":{},\"torn_at\":{},\"streams\":[",
      json_string(summary.path), summary.file.version, summary.file.bytes, summary.file.blocks,
      summary.file.compressed_blocks, summary.file.record_bytes, summary.dead_letters,
      summary.torn_at ? std::to_string(*summary.torn_at) : "null");
  for (const StreamSummary& stream : summary.streams) {
    if (json.back() == '}') json += ',';
    json += stream_json(stream);
  }
  return json + "]}";
}

}  // namespace walcat

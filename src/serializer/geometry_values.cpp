#include "geometry_values.h"

#include <bit>
#include <charconv>
#include <cstdint>
#include <optional>

#include "base64.h"
#include "numeric_values.h"
#include "short_text.h"
#include "text_reader.h"

namespace walcat {

namespace {

// Where extended well-known binary has what, in bytes.
constexpr std::size_t kByteOrderSize = 1;
constexpr std::size_t kWordSize = 4;
constexpr std::uint32_t kHasReferenceSystem = 0x20000000;

struct Split {
  std::string_view before;
  std::string_view after;
};

std::optional<Split> split(std::string_view text, char at) {
  const std::size_t place = text.find(at);
  if (place == std::string_view::npos) return std::nullopt;
  return Split{text.substr(0, place), text.substr(place + 1)};
}

// What stands between the brackets, if they are there.
std::optional<std::string_view> inside(std::string_view text, char open, char close) {
  if (text.size() < 2 || text.front() != open || text.back() != close) return std::nullopt;
  return text.substr(1, text.size() - 2);
}

bool is_special(std::string_view text) { return text == "NaN" || text == "Infinity" || text == "-Infinity"; }

bool read_coordinate(std::string_view text, double& value) {
  if (!is_json_number(text) && !is_special(text)) return false;
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc{};
}

void write_coordinate(LineWriter& out, std::string_view text) {
  if (!write_float(out, text)) out.string(text);
}

void add_little_endian(ShortText& to, std::uint64_t value, int bytes) {
  for (; bytes > 0; --bytes, value >>= 8) to.add(static_cast<char>(value & 0xFF));
}

// Byte order, type (1: a point), coordinates.
ShortText well_known_point(double x, double y) {
  ShortText bytes;
  bytes.add('\x01');
  add_little_endian(bytes, 1, 4);
  add_little_endian(bytes, std::bit_cast<std::uint64_t>(x), 8);
  add_little_endian(bytes, std::bit_cast<std::uint64_t>(y), 8);
  return bytes;
}

std::uint32_t word(std::string_view digits, std::size_t byte, bool is_little_endian) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < kWordSize; ++i) {
    const std::size_t place = is_little_endian ? kWordSize - 1 - i : i;
    value = value << 8 | hex_byte(digits.data() + 2 * (byte + place));
  }
  return value;
}

// Calls `visit` for each part of a list without its brackets; false once a visit says so.
template <typename Visit>
bool visit_parts(std::string_view list, Visit visit) {
  if (list.empty()) return true;
  for (;;) {
    const auto parts = split(list, ',');
    if (!visit(parts ? parts->before : list)) return false;
    if (!parts) return true;
    list = parts->after;
  }
}

bool is_place(std::string_view text) {
  return !text.empty() && text.size() < 10 && text[0] != '0' &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_sparse_entry(std::string_view text) {
  const auto entry = split(text, ':');
  return entry && is_place(entry->before) && is_json_number(entry->after);
}

void write_sparse_entry(LineWriter& out, std::string_view text) {
  const auto entry = split(text, ':');
  out.literal("[");
  out.raw(entry->before);
  out.literal(",");
  write_float(out, entry->after);
  out.literal("]");
}

// Writes the parts of a checked list with commas between.
template <typename Write>
void write_list(LineWriter& out, std::string_view list, Write write) {
  bool is_first = true;
  out.literal("[");
  visit_parts(list, [&](std::string_view part) {
    if (!is_first) out.literal(",");
    is_first = false;
    write(out, part);
    return true;
  });
  out.literal("]");
}

}  // namespace

bool write_point(LineWriter& out, std::string_view text) {
  const auto list = inside(text, '(', ')');
  const auto pair = list ? split(*list, ',') : std::nullopt;
  double x = 0;
  double y = 0;
  if (!pair || !read_coordinate(pair->before, x) || !read_coordinate(pair->after, y)) return false;
  out.literal("{\"x\":");
  write_coordinate(out, pair->before);
  out.literal(",\"y\":");
  write_coordinate(out, pair->after);
  out.literal(",\"wkb\":");
  out.base64(well_known_point(x, y).view());
  out.literal(",\"srid\":null}");
  return true;
}

bool write_geometry(LineWriter& out, std::string_view text) {
  static constexpr std::size_t kLeast = kByteOrderSize + kWordSize;
  if (!is_hex(text) || text.size() < 2 * kLeast) return false;
  const bool is_little_endian = hex_byte(text.data()) == 1;
  const bool has_system = (word(text, kByteOrderSize, is_little_endian) & kHasReferenceSystem) != 0;
  if (has_system && text.size() < 2 * (kLeast + kWordSize)) return false;
  out.literal("{\"wkb\":");
  write_hex_as_base64(out, text);
  out.literal(",\"srid\":");
  if (has_system) {
    out.number(std::uint64_t{word(text, kLeast, is_little_endian)});
  } else {
    out.literal("null");
  }
  out.literal("}");
  return true;
}

bool write_vector(LineWriter& out, std::string_view text) {
  const auto list = inside(text, '[', ']');
  if (!list || !visit_parts(*list, is_json_number)) return false;
  write_list(out, *list, write_float);
  return true;
}

bool write_sparse_vector(LineWriter& out, std::string_view text) {
  const auto halves = split(text, '/');
  const auto list = halves ? inside(halves->before, '{', '}') : std::nullopt;
  if (!list || !is_place(halves->after) || !visit_parts(*list, is_sparse_entry)) return false;
  out.literal("{\"dimensions\":");
  out.raw(halves->after);
  out.literal(",\"vector\":");
  write_list(out, *list, write_sparse_entry);
  out.literal("}");
  return true;
}

}  // namespace walcat

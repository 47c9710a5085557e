// Texts that no server prints: every plan still writes one JSON value and reads no byte it may not.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>
#include <vector>

#include "serializer/builtin_types.h"
#include "serializer/debezium_cells.h"

namespace walcat::test {
namespace {

std::vector<Column> all_columns() {
  std::vector<Column> columns;
  for (const std::uint32_t oid :
       {16U,   17U,   20U,   25U,   114U,  600U,  701U,  790U,  1082U, 1083U, 1114U, 1184U, 1186U,
        1266U, 1700U, 1007U, 1009U, 1020U, 1231U, 1115U, 1001U, 1017U, 1563U, 791U,  1187U}) {
    columns.push_back(column_of(oid));
  }
  for (const std::int32_t length : {-1, 1, 9}) columns.push_back(column_of(type_oid::kVarbit, length));
  columns.push_back(column_of(type_oid::kNumeric, numeric_modifier(10, 2)));
  columns.push_back(column_of(type_oid::kNumeric, numeric_modifier(5, -2)));
  for (const char* name : {"hstore", "geometry", "vector", "sparsevec", "ltree"}) {
    columns.push_back(column_of(user_type(name)));
    columns.push_back(column_of(array_of(user_type(name))));
  }
  columns.push_back(column_of(array_of(domain_over(1007))));
  return columns;
}

std::vector<DebeziumOptions> all_options() {
  std::vector<DebeziumOptions> all(6);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].time_precision_mode = static_cast<DebeziumOptions::TimePrecision>(i);
    all[i].decimal_handling_mode = static_cast<DebeziumOptions::DecimalHandling>(i % 3);
    all[i].interval_handling_mode = static_cast<DebeziumOptions::IntervalHandling>(i % 2);
    all[i].hstore_handling_mode = static_cast<DebeziumOptions::HstoreHandling>(i % 2);
    all[i].binary_handling_mode = static_cast<DebeziumOptions::BinaryHandling>(i % 4);
    all[i].money_fraction_digits = static_cast<int>(i % 4);
  }
  return all;
}

void expect_json(const ValuePlan& plan, const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::element parsed;
  const std::string json = written(plan, text);
  // A bare value at the top is legal JSON, but the parser wants room behind it.
  const simdjson::padded_string line("[" + json + "]");
  EXPECT_EQ(parser.parse(line).get(parsed), simdjson::SUCCESS) << text << " became " << json;
}

constexpr const char* kTexts[] = {"t",
                                  "-12",
                                  "3.25",
                                  "1e+20",
                                  "NaN",
                                  "-Infinity",
                                  "infinity",
                                  "12345678901234567890.5",
                                  "-$1,234.11",
                                  "\\x00ff41",
                                  "2016-11-04",
                                  "0044-03-15 BC",
                                  "13:51:30.123789+02",
                                  "2016-11-04 13:51:30.123+00",
                                  "1 year 2 mons -3 days +04:05:06.78",
                                  "{{1,NULL},{\"a\\\"b\",c}}",
                                  "[0:1]={1,2}",
                                  "{(1,1),(0,0);(2,2),(1,1)}",
                                  "\"k\"=>\"v\", \"n\"=>NULL",
                                  "(1.5,-2)",
                                  "10110101",
                                  "0101000020E6100000000000000000F83F",
                                  "[1,2.5]",
                                  "{1:2,3:4.5}/9",
                                  "{\"{1,2}\"}",
                                  "",
                                  "a\tb\x01"};

// Small changes of true texts reach further into the parsers than noise does.
std::string changed(std::string text, std::mt19937& random) {
  static constexpr std::string_view kBytes = "{}[]()\"\\,;:=>-+.eE0129 NULxBC$/\t\x01";
  for (int changes = static_cast<int>(random() % 4); changes > 0; --changes) {
    const std::size_t place = text.empty() ? 0 : random() % text.size();
    const char byte = kBytes[random() % kBytes.size()];
    switch (random() % 4) {
      case 0: text.insert(place, 1, byte); break;
      case 1: text = text.substr(0, place); break;
      case 2: text += text.substr(place); break;
      default:
        if (!text.empty()) text[place] = byte;
    }
  }
  return text;
}

std::string noise(std::mt19937& random) {
  std::string text(random() % 40, ' ');
  for (char& byte : text) byte = static_cast<char>(random() % 128);
  return text;
}

TEST(DebeziumHostileText, IsJsonWhateverTheTypeAndTheMode) {
  std::mt19937 random(20160411);
  for (const DebeziumOptions& options : all_options()) {
    for (const Column& column : all_columns()) {
      const ValuePlan plan(column, with(options));
      for (const char* text : kTexts) {
        expect_json(plan, text);
        for (int round = 0; round < 8; ++round) expect_json(plan, changed(text, random));
      }
      for (int round = 0; round < 30; ++round) expect_json(plan, noise(random));
    }
  }
}

}  // namespace
}  // namespace walcat::test

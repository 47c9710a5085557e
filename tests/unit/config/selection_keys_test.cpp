#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "configuration_fixture.h"

namespace walcat::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Digest = ColumnRule::Digest;

// `lines` are flow style, so that a case is one line; they begin at 5:5.
std::string with(const std::string& lines) { return kOneDatabase + "    " + lines + "\n"; }

SelectionOptions selection(const std::string& lines) { return parsed(with(lines)).pipeline.databases.at(0).selection; }

TEST(SelectionKeys, LeftOutSelectEverything) { EXPECT_EQ(selection(""), SelectionOptions{}); }

TEST(SelectionKeys, GiveThePatterns) {
  EXPECT_THAT(selection(R"(include_tables: ['public\..*', "a\\.b"])").include_tables,
              ElementsAre("public\\..*", "a\\.b"));
  EXPECT_THAT(selection("exclude_tables: [.*x]").exclude_tables, ElementsAre(".*x"));
  EXPECT_THAT(selection("include_columns: [.*x]").include_columns, ElementsAre(".*x"));
  EXPECT_THAT(selection("exclude_columns: [.*x]").exclude_columns, ElementsAre(".*x"));
  EXPECT_THAT(selection(R"(include_tables: ['^a\.b$', '^c$|d'])").include_tables, ElementsAre("^a\\.b$", "^c$|d"))
      << "a dollar alone is no variable";
}

TEST(SelectionKeys, GiveTheRules) {
  using Options = SelectionOptions;
  EXPECT_THAT(
      selection("mask_columns: [{columns: .*x, with: hidden}, {columns: .*y}, {columns: .*z, with: ''}]").mask_columns,
      ElementsAre(Options::MaskRule{".*x", "hidden"}, Options::MaskRule{".*y", "***"}, Options::MaskRule{".*z", ""}));
  EXPECT_THAT(
      selection("truncate_columns: [{columns: .*x, length: 0}, {columns: .*y, length: 1073741824}]").truncate_columns,
      ElementsAre(Options::TruncateRule{".*x", 0}, Options::TruncateRule{".*y", std::size_t{1} << 30}));
  EXPECT_THAT(selection("hash_columns: [{columns: .*x, salt: s}, {columns: .*y, algorithm: md5, salt: t},"
                        " {columns: .*z, algorithm: sha512, salt: '1'}]")
                  .hash_columns,
              ElementsAre(Options::HashRule{".*x", Digest::kSha256, "s"}, Options::HashRule{".*y", Digest::kMd5, "t"},
                          Options::HashRule{".*z", Digest::kSha512, "1"}));
}

TEST(SelectionKeys, TakeASaltFromTheEnvironment) {
  const Environment salt("WALCAT_TEST_SALT", "0123");
  EXPECT_EQ(selection("hash_columns: [{columns: .*, salt: \"${WALCAT_TEST_SALT}\"}]").hash_columns[0].salt, "0123");
}

TEST(SelectionKeys, GiveKeysByTableNamesOfSql) {
  EXPECT_EQ(
      selection(R"(key_columns: {Public.Orders: [b, A], '"My.S"."T"': ['x y']})").key_columns,
      (std::map<TableName, std::vector<std::string>>{{{"public", "orders"}, {"b", "A"}}, {{"My.S", "T"}, {"x y"}}}));
}

TEST(SelectionKeys, SayWhetherUnchangedUpdatesAreSkipped) {
  EXPECT_FALSE(selection("").skip_unchanged);
  EXPECT_TRUE(selection("skip_unchanged: true").skip_unchanged);
}

TEST(SelectionKeys, HoldForTheirDatabaseAlone) {
  const auto configuration = parsed(
      "databases:\n"
      "  - {conn_str: 'host=a', slot_name: s1, publication_name: p, exclude_tables: [a.b]}\n"
      "  - {conn_str: 'host=b', slot_name: s2, publication_name: p}\n");
  EXPECT_THAT(configuration.pipeline.databases[0].selection.exclude_tables, ElementsAre("a.b"));
  EXPECT_EQ(configuration.pipeline.databases[1].selection, SelectionOptions{});
}

TEST(SelectionKeys, NameABadPatternWithItsPlaceAndRe2sWords) {
  const std::string start = "c.yaml:5:";
  const std::string wrong = "not a regular expression (RE2): ";
  EXPECT_EQ(faults(with("include_tables: [ok, 'a(']")),
            start + "26: databases[0].include_tables[1]: " + wrong + "missing ): a(");
  EXPECT_EQ(faults(with("mask_columns: [{columns: '*'}]")),
            start + "30: databases[0].mask_columns[0].columns: " + wrong + "no argument for repetition operator: *");
  EXPECT_EQ(faults(with("hash_columns: [{columns: '[', salt: s}]")),
            start + "30: databases[0].hash_columns[0].columns: " + wrong + "missing ]: [");
  EXPECT_EQ(faults(with("truncate_columns: [{columns: '\\C\\d{2000}', length: 1}]")),
            start + "34: databases[0].truncate_columns[0].columns: " + wrong + "invalid repetition size: {2000}");
}

TEST(SelectionKeys, TellAllBadPatternsTogether) {
  EXPECT_THAT(faults(with("exclude_columns: ['(', a, ')']")),
              AllOf(HasSubstr("exclude_columns[0]: not"), HasSubstr("exclude_columns[2]: not")));
}

TEST(SelectionKeys, RefuseListsOfNothingAndOfOtherThings) {
  const std::string list = "; expected a list of regular expressions; without the key, there are none";
  EXPECT_EQ(faults(with("include_tables: []")), "c.yaml:5:21: databases[0].include_tables: found an empty list" + list);
  EXPECT_EQ(faults(with("exclude_tables: a.b")), "c.yaml:5:21: databases[0].exclude_tables: found \"a.b\"" + list);
  EXPECT_EQ(faults(with("include_columns: ['']")),
            "c.yaml:5:23: databases[0].include_columns[0]: found the text \"\"; expected a regular expression over "
            "whole names (public\\.orders, .*\\.password), of 1 to 1024 bytes");
  EXPECT_EQ(faults(with("exclude_columns: [a, b, a]")),
            "c.yaml:5:29: databases[0].exclude_columns[2]: \"a\" is already there at 5:23");
  EXPECT_EQ(faults(with("mask_columns: []")),
            "c.yaml:5:19: databases[0].mask_columns: found an empty list; expected a list of {columns, with}");
  EXPECT_EQ(faults(with("truncate_columns: {columns: a, length: 1}")),
            "c.yaml:5:23: databases[0].truncate_columns: found a mapping; expected a list of {columns, length}");
  EXPECT_EQ(faults(with("hash_columns: [a]")),
            "c.yaml:5:20: databases[0].hash_columns[0]: found \"a\"; expected a mapping with keys such as columns");
}

TEST(SelectionKeys, AskForWhatARuleNeeds) {
  EXPECT_THAT(faults(with("mask_columns: [{with: x}]")), HasSubstr("mask_columns[0].columns: missing; expected"));
  EXPECT_THAT(faults(with("truncate_columns: [{columns: a}]")),
              HasSubstr("truncate_columns[0].length: missing; expected an integer from 0 to 1073741824"));
  EXPECT_THAT(faults(with("truncate_columns: [{columns: a, length: 1073741825}]")),
              HasSubstr("expected an integer from 0 to 1073741824"));
  EXPECT_THAT(faults(with("hash_columns: [{columns: a}]")), HasSubstr("hash_columns[0].salt: missing; expected"));
  EXPECT_THAT(faults(with("hash_columns: [{columns: a, salt: ''}]")), HasSubstr("expected text of 1 to 1024 bytes"));
  EXPECT_THAT(faults(with("hash_columns: [{columns: a, salt: s, algorithm: sha1}]")),
              HasSubstr("found \"sha1\"; expected sha256, sha512 or md5"));
}

TEST(SelectionKeys, RefuseKeysThatNameNoTableOrNoColumn) {
  EXPECT_EQ(faults(with("key_columns: {orders: [id]}")),
            "c.yaml:5:19: databases[0].key_columns: found the text \"orders\"; expected schema.table; a name with "
            "capitals or dots like '\"My.Schema\".orders'");
  EXPECT_EQ(
      faults(with("key_columns: {a.b: []}")),
      "c.yaml:5:24: databases[0].key_columns.a.b: found an empty list; expected a list of at least one column, in "
      "the key's order");
  EXPECT_EQ(faults(with("key_columns: {a.b: [x, x]}")),
            "c.yaml:5:28: databases[0].key_columns.a.b[1]: \"x\" is already there at 5:25");
  EXPECT_EQ(faults(with("key_columns: {a.b: [x], A.B: [y]}")),
            "c.yaml:5:29: databases[0].key_columns.A.B: a.b is already there at 5:19");
  EXPECT_THAT(faults(with("key_columns: {}")), HasSubstr("expected a mapping of schema.table to the list"));
  EXPECT_THAT(faults(with("key_columns: [a.b]")), HasSubstr("expected a mapping of schema.table to the list"));
}

TEST(SelectionKeys, AreSetByOverrides) {
  const auto configuration =
      parsed(kOneDatabase, {"databases.0.key_columns={public.orders: [id]}", "databases.0.mask_columns.0.columns=.*x"});
  const auto& options = configuration.pipeline.databases[0].selection;
  EXPECT_EQ(options.key_columns.count({"public", "orders"}), 1U);
  EXPECT_THAT(options.mask_columns, ElementsAre(SelectionOptions::MaskRule{".*x", "***"}));
}

TEST(SelectionKeys, ArePrintedAsTheyAreRead) {
  const std::string lines = R"(include_tables: ['public\..*', 'a"b\\c']
    exclude_tables: ['x$$y', 'x$']
    include_columns: ['.*']
    exclude_columns: ['a', 'b']
    mask_columns: [{columns: a, with: ''}, {columns: b, with: "\t\"'"}]
    truncate_columns: [{columns: a, length: 7}]
    key_columns: {'"A.b".c': [x, 'Y z'], a.b: ['1']}
    skip_unchanged: true)";
  const auto configuration = parsed(with(lines));
  const std::string printed = print_configuration(configuration);
  EXPECT_EQ(parsed(printed).pipeline.databases[0].selection, configuration.pipeline.databases[0].selection);
  EXPECT_EQ(print_configuration(parsed(printed)), printed);
}

TEST(SelectionKeys, ArePrintedWithoutTheSalt) {
  const std::string printed =
      print_configuration(parsed(with("hash_columns: [{columns: .*x, algorithm: md5, salt: pepper}]")));
  EXPECT_THAT(printed, Not(HasSubstr("pepper")));
  EXPECT_THAT(printed, HasSubstr("    hash_columns:\n"
                                 "      - columns: \".*x\"\n"
                                 "        algorithm: md5\n"
                                 "        salt: \"********\"\n"));
  EXPECT_EQ(print_configuration(parsed(printed)), printed);
}

TEST(SelectionKeys, LeftOutAreNotPrinted) {
  EXPECT_THAT(print_configuration(parsed(kOneDatabase)), Not(HasSubstr("columns")));
}

}  // namespace
}  // namespace walcat::test

#include "walcat/selection/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "rules.h"

namespace walcat::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Action = ColumnRule::Action;
using Digest = ColumnRule::Digest;

Relation table(const std::string& schema, const std::string& name, const std::vector<std::string>& columns = {}) {
  Relation relation;
  relation.schema = schema;
  relation.name = name;
  for (const std::string& column : columns) {
    relation.columns.emplace_back();
    relation.columns.back().name = column;
  }
  return relation;
}

Relation applied(const SelectionOptions& options, Relation relation) {
  (*Selection::compile(options))->apply(relation);
  return relation;
}

bool wanted(const SelectionOptions& options, const std::string& schema, const std::string& name) {
  return applied(options, table(schema, name)).is_wanted;
}

// What becomes of public.users and its columns, in order.
std::vector<Action> actions(const SelectionOptions& options, const std::vector<std::string>& columns) {
  std::vector<Action> actions;
  for (const Column& column : applied(options, table("public", "users", columns)).columns) {
    actions.push_back(column.rule.action);
  }
  return actions;
}

std::string compile_faults(const SelectionOptions& options) { return Selection::compile(options).status().message(); }

TEST(Selection, OfNothingConfiguredTakesEverything) {
  Relation relation = table("public", "users", {"id", "name"});
  relation.key = {1};
  Relation same = relation;
  Selection().apply(same);
  EXPECT_EQ(same, relation);
  EXPECT_EQ(applied({}, relation), relation);
  EXPECT_FALSE(Selection().skip_unchanged());
  EXPECT_TRUE(Selection().check({}).is_ok());
}

TEST(Selection, TakesListedTablesAndWhatStandsForThem) {
  const auto selection = *Selection::compile({.exclude_tables = {".*_audit"}}, {{"public", "users"}, {"A.b", "users"}});
  const auto takes = [&](const std::string& schema, const std::string& name, std::uint32_t oid = 0) {
    Relation relation = table(schema, name);
    relation.oid = oid;
    selection->apply(relation);
    return relation.is_wanted;
  };
  EXPECT_TRUE(takes("public", "users", 1));
  EXPECT_TRUE(takes("A.b", "users"));
  EXPECT_FALSE(takes("A", "b.users"));
  EXPECT_FALSE(takes("public", "users_1", 2));
  selection->follow(2);
  selection->follow(3);
  EXPECT_TRUE(takes("public", "users_1", 2));
  EXPECT_FALSE(takes("public", "users_audit", 3)) << "exclusion wins";
  EXPECT_FALSE(takes("public", "users_2", 4));
}

TEST(Selection, TakesTablesThatAnyInclusionMatches) {
  const SelectionOptions options{.include_tables = {"public\\.users", "shop\\..*"}};
  EXPECT_TRUE(wanted(options, "public", "users"));
  EXPECT_TRUE(wanted(options, "shop", "orders"));
  EXPECT_FALSE(wanted(options, "public", "orders"));
}

TEST(Selection, AnchorsPatternsAtBothEnds) {
  const SelectionOptions options{.include_tables = {"public\\.user|shop"}};
  EXPECT_TRUE(wanted(options, "public", "user"));
  EXPECT_FALSE(wanted(options, "public", "users"));
  EXPECT_FALSE(wanted(options, "my_public", "user"));
  EXPECT_FALSE(wanted(options, "shop", "orders"));
}

TEST(Selection, LetsExclusionWin) {
  const SelectionOptions options{.include_tables = {"public\\..*"}, .exclude_tables = {".*\\.audit_.*"}};
  EXPECT_TRUE(wanted(options, "public", "users"));
  EXPECT_FALSE(wanted(options, "public", "audit_users"));
  EXPECT_FALSE(wanted({.exclude_tables = {"a\\.b"}}, "a", "b"));
  EXPECT_TRUE(wanted({.exclude_tables = {"a\\.b"}}, "a", "c"));
}

TEST(Selection, ReadsNamesAsTheCatalogStoresThem) {
  EXPECT_TRUE(wanted({.include_tables = {"My Schema\\.Order \"x\""}}, "My Schema", "Order \"x\""));
  EXPECT_FALSE(wanted({.include_tables = {"public\\.orders"}}, "public", "Orders"));
  EXPECT_TRUE(wanted({.include_tables = {"(?i)public\\.orders"}}, "public", "Orders"));
  EXPECT_TRUE(wanted({.include_tables = {"public\\.gr.ße"}}, "public", "größe"));
}

TEST(Selection, LetsNoNameSlipThroughADot) {
  const SelectionOptions options{.exclude_tables = {"secret\\..*"}};
  EXPECT_FALSE(wanted(options, "secret", "a\nb"));
  EXPECT_FALSE(wanted(options, "secret", "a\xff\xe9z"));
  EXPECT_FALSE(wanted(options, "secret", ""));
}

TEST(Selection, OmitsColumnsNotIncludedAndColumnsExcluded) {
  EXPECT_THAT(actions({.include_columns = {"public\\.users\\.(id|name)"}}, {"id", "name", "ssn"}),
              ElementsAre(Action::kPrint, Action::kPrint, Action::kOmit));
  EXPECT_THAT(actions({.exclude_columns = {".*\\.ssn"}}, {"id", "ssn"}), ElementsAre(Action::kPrint, Action::kOmit));
  EXPECT_THAT(actions({.include_columns = {"public\\..*"}, .exclude_columns = {".*\\.ssn"}}, {"id", "ssn"}),
              ElementsAre(Action::kPrint, Action::kOmit));
}

TEST(Selection, MayOmitEveryColumnOfATableItTakes) {
  const Relation relation = applied({.exclude_columns = {".*"}}, table("public", "users", {"id"}));
  EXPECT_TRUE(relation.is_wanted);
  EXPECT_EQ(relation.columns[0].rule.action, Action::kOmit);
}

TEST(Selection, GivesEachRuleItsParameters) {
  const SelectionOptions options{
      .mask_columns = {{".*\\.email", "hidden"}},
      .truncate_columns = {{".*\\.note", 7}},
      .hash_columns = {{".*\\.ssn", Digest::kSha512, "pepper"}},
  };
  const Relation relation = applied(options, table("public", "users", {"email", "note", "ssn", "id"}));
  EXPECT_EQ(relation.columns[0].rule, mask("hidden"));
  EXPECT_EQ(relation.columns[1].rule, truncate(7));
  EXPECT_EQ(relation.columns[2].rule, hash(Digest::kSha512, "pepper"));
  EXPECT_EQ(relation.columns[3].rule, ColumnRule{});
}

TEST(Selection, FollowsTheRuleThatShowsLeast) {
  SelectionOptions options;
  options.truncate_columns = {{".*", 100}};
  EXPECT_THAT(actions(options, {"ssn"}), ElementsAre(Action::kTruncate));
  options.hash_columns = {{".*\\.ssn", Digest::kSha256, "s"}};
  EXPECT_THAT(actions(options, {"ssn"}), ElementsAre(Action::kHash));
  options.mask_columns = {{".*\\.ssn", "***"}};
  EXPECT_THAT(actions(options, {"ssn"}), ElementsAre(Action::kMask));
  options.exclude_columns = {".*\\.ssn"};
  EXPECT_THAT(actions(options, {"ssn"}), ElementsAre(Action::kOmit));
}

TEST(Selection, FollowsTheFirstRuleOfAKind) {
  const Relation relation =
      applied({.truncate_columns = {{".*\\.note", 5}, {".*", 9}}}, table("public", "users", {"note", "name"}));
  EXPECT_EQ(relation.columns[0].rule.length, 5U);
  EXPECT_EQ(relation.columns[1].rule.length, 9U);
}

TEST(Selection, TakesBackWhatAnEarlierOneWrote) {
  Relation relation = applied({.exclude_tables = {".*"}, .exclude_columns = {".*"}}, table("public", "users", {"id"}));
  Selection().apply(relation);
  EXPECT_EQ(relation, table("public", "users", {"id"}));
}

TEST(Selection, ReplacesTheKeyByTheConfiguredColumnsInTheirOrder) {
  Relation relation = table("public", "users", {"id", "tenant", "email"});
  relation.key = {0};
  const SelectionOptions options{.key_columns = {{{"public", "users"}, {"email", "tenant"}}}};
  EXPECT_THAT(applied(options, relation).key, ElementsAre(2, 1));
  relation.schema = "other";
  EXPECT_THAT(applied(options, relation).key, ElementsAre(0));
}

TEST(Selection, PassesOverKeyColumnsThatTheTableHasNot) {
  Relation relation = table("public", "users", {"id", "tenant"});
  relation.key = {0};
  EXPECT_THAT(applied({.key_columns = {{{"public", "users"}, {"gone", "tenant"}}}}, relation).key, ElementsAre(1));
  EXPECT_THAT(applied({.key_columns = {{{"public", "users"}, {"gone"}}}}, relation).key, IsEmpty());
}

TEST(Selection, TakesKeysOfTablesWithDotsApart) {
  const SelectionOptions options{.key_columns = {{{"a.b", "c"}, {"id"}}}};
  EXPECT_THAT(applied(options, table("a.b", "c", {"id"})).key, ElementsAre(0));
  EXPECT_THAT(applied(options, table("a", "b.c", {"id"})).key, IsEmpty());
}

TEST(Selection, TellsWhetherUnchangedUpdatesAreSkipped) {
  EXPECT_TRUE((*Selection::compile({.skip_unchanged = true}))->skip_unchanged());
  EXPECT_FALSE((*Selection::compile({}))->skip_unchanged());
}

TEST(SelectionCompile, NamesEveryBadPatternInRe2sWords) {
  const SelectionOptions options{
      .include_tables = {"ok", "a("},
      .exclude_columns = {"b[z-a]"},
      .mask_columns = {{"*c", "***"}},
      .truncate_columns = {{"d\\1", 1}},
      .hash_columns = {{"(?!e)", Digest::kSha256, "pepper"}},
  };
  EXPECT_EQ(Selection::compile(options).status().code(), StatusCode::kConfiguration);
  EXPECT_EQ(compile_faults(options),
            "include_tables \"a(\": missing ): a(; "
            "exclude_columns \"b[z-a]\": invalid character class range: z-a; "
            "mask_columns \"*c\": no argument for repetition operator: *; "
            "hash_columns \"(?!e)\": invalid perl operator: (?!; "
            "truncate_columns \"d\\1\": invalid escape sequence: \\1");
}

TEST(SelectionCompile, NeverTellsASalt) {
  EXPECT_THAT(compile_faults({.hash_columns = {{"(", Digest::kMd5, "pepper"}}}), Not(HasSubstr("pepper")));
}

TEST(CheckPattern, AnswersInRe2sWords) {
  EXPECT_TRUE(check_pattern("public\\..*").is_ok());
  EXPECT_EQ(check_pattern("a)").code(), StatusCode::kConfiguration);
  EXPECT_EQ(check_pattern("a)").message(), "unexpected ): a)");
}

const std::vector<Selection::PublishedTable>& published() {
  static const std::vector<Selection::PublishedTable> tables = {
      {"public", "users", {"id", "name"}},
      {"Sales", "orders.2024", {"id", "note"}},
  };
  return tables;
}

std::string check_faults(const SelectionOptions& options) {
  return (*Selection::compile(options))->check(published()).message();
}

TEST(SelectionCheck, IsContentWhenEveryPatternMatchesSomething) {
  const SelectionOptions options{
      .include_tables = {"public\\.users", "Sales\\..*"},
      .exclude_tables = {".*2024"},
      .include_columns = {".*"},
      .exclude_columns = {".*\\.id"},
      .mask_columns = {{"public\\.users\\.name", "***"}},
      .truncate_columns = {{".*\\.note", 1}},
      .hash_columns = {{".*\\.name", Digest::kSha256, "s"}},
      .key_columns = {{{"Sales", "orders.2024"}, {"id"}}},
  };
  EXPECT_EQ(check_faults(options), "");
}

TEST(SelectionCheck, NamesEveryPatternThatMatchesNothing) {
  const SelectionOptions options{
      .include_tables = {"public\\.users", "users"},
      .exclude_tables = {"sales\\..*"},
      .include_columns = {"public\\.users"},
      .exclude_columns = {"id"},
      .mask_columns = {{".*\\.email", "***"}},
      .truncate_columns = {{".*\\.text", 1}},
      .hash_columns = {{".*\\.ssn", Digest::kSha256, "pepper"}},
  };
  EXPECT_EQ((*Selection::compile(options))->check(published()).code(), StatusCode::kConfiguration);
  EXPECT_EQ(check_faults(options),
            "nothing that is published matches include_tables \"users\", exclude_tables \"sales\\..*\", "
            "include_columns \"public\\.users\", exclude_columns \"id\", mask_columns \".*\\.email\", "
            "hash_columns \".*\\.ssn\", truncate_columns \".*\\.text\"; a pattern matches the whole of schema.table or "
            "schema.table.column");
}

TEST(SelectionCheck, NamesKeyTablesAndKeyColumnsThatAreNotThere) {
  const SelectionOptions options{
      .key_columns = {{{"public", "users"}, {"id", "uid"}}, {{"sales", "orders.2024"}, {"id"}}}};
  EXPECT_THAT(check_faults(options), AllOf(HasSubstr("key_columns public.users: column \"uid\""),
                                           HasSubstr("key_columns sales.\"orders.2024\""), Not(HasSubstr("\"id\""))));
}

TEST(SelectionCheck, OfNoTablesFindsEveryPatternIdle) {
  const auto selection = *Selection::compile({.exclude_columns = {".*"}});
  EXPECT_THAT(selection->check({}).message(), HasSubstr("exclude_columns \".*\""));
}

}  // namespace
}  // namespace walcat::test

// Rules that go by names, and tables whose names change.

#include "walcat/selection/rule_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace walcat::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint32_t kOid = 16385;

// A table as a text: `name: column column`.
Relation described(const std::string& text, std::uint32_t oid = kOid) {
  std::istringstream words(text);
  std::string word;
  Relation relation;
  relation.oid = oid;
  relation.schema = "public";
  words >> word;
  relation.name = word.substr(0, word.find(':'));
  while (words >> word) {
    Column column;
    column.name = word;
    relation.columns.push_back(std::move(column));
  }
  return relation;
}

const SelectionOptions& hiding() {
  static const SelectionOptions options{.exclude_tables = {".*\\.hidden.*"},
                                        .exclude_columns = {"public\\.t\\.(secret|key)"},
                                        .mask_columns = {{".*\\.(email|mail2)", "***"}}};
  return options;
}

class Rules {
 public:
  explicit Rules(OnLostRule on_lost_rule = OnLostRule::kStop, const SelectionOptions& options = hiding())
      : memory_(*Selection::compile(options), on_lost_rule, false, log::Logger()) {}

  // What is printed as it is, further on in the stream; `-`: nothing of the table; `!`: it is refused.
  std::string shows(const std::string& text, std::uint32_t oid = kOid, const std::vector<std::uint32_t>& parts = {}) {
    return printed(text, oid, {ChangePlace{{++place_}, 0}, parts});
  }
  // The same where the stream repeats itself.
  std::string shows_again(const std::string& text, std::uint32_t oid = kOid) {
    return printed(text, oid, {ChangePlace{{1}, 0}});
  }
  // Rows that are read in the layout of the catalog.
  std::string reads(const std::string& text, std::uint32_t oid = kOid, const std::vector<std::uint32_t>& parts = {}) {
    return printed(text, oid, {std::nullopt, parts});
  }
  RuleMemory& memory() { return memory_; }
  const Status& status() const { return status_; }

 private:
  std::string printed(const std::string& text, std::uint32_t oid, const RowsAhead& rows) {
    Relation relation = described(text, oid);
    status_ = memory_.apply(relation, rows);
    if (!status_.is_ok()) return "!";
    if (!relation.is_wanted) return "-";
    std::string open;
    for (const Column& column : relation.columns) {
      if (column.rule.action == ColumnRule::Action::kPrint) open += (open.empty() ? "" : " ") + column.name;
    }
    return open;
  }

  RuleMemory memory_;
  Status status_;
  // Of one stream, whose runs follow each other.
  static inline std::uint64_t place_ = 1;
};

struct Change {
  const char* before;
  const char* after;
  // Under stop and mask.
  const char* stopped;
  const char* masked;
};

TEST(RuleMemory, FailsClosedWhereARuleIsLost) {
  const Change changes[] = {
      {"t: id email name", "t: id mail name", "!", "id name"},
      {"t: id email name", "t: id name email", "!", "id"},
      {"t: id email name", "t: id mail email", "!", "id"},
      {"t: id email name", "t: id name phone", "!", "id name"},
      {"t: id email name", "u: id contact name", "!", "id name"},
      {"t: id secret name", "u: id secret name", "!", "id name"},
      {"t: id secret key", "u: id s k", "!", "id"},
      {"hidden: id name", "open: id name", "!", "-"},
      // Nothing is uncovered.
      {"t: id email name", "t: id email fullname city", "id fullname city", "id fullname city"},
      {"t: id email name", "t: id mail2 name", "id name", "id name"},
      {"t: id email name", "t: id name", "id name", "id name"},
      {"t: id email name", "u: id email name", "id name", "id name"},
      {"t: id email name", "hidden: id mail name", "-", "-"},
      {"open: id name", "hidden: id name", "-", "-"},
  };
  for (const Change& change : changes) {
    Rules stopping;
    Rules masking(OnLostRule::kMask);
    Rules going(OnLostRule::kContinue);
    const std::string before = stopping.shows(change.before);
    EXPECT_EQ(stopping.shows(change.after), change.stopped) << change.before << " -> " << change.after;
    EXPECT_EQ(stopping.shows_again(change.before), before) << "older rows still come";
    masking.shows(change.before);
    EXPECT_EQ(masking.shows(change.after), change.masked) << change.before << " -> " << change.after;
    EXPECT_EQ(masking.shows_again(change.before),
              before == "id name" && *change.masked == 'i' && change.after == std::string("t: id name email") ? "id"
                                                                                                              : before);
    EXPECT_EQ(masking.shows(change.after), change.masked) << "and again";
    going.shows(change.before);
    EXPECT_NE(going.shows(change.after), "!");
  }
}

TEST(RuleMemory, NamesTableColumnsRuleAndWaysOut) {
  Rules rules;
  rules.shows("t: id email name");
  EXPECT_EQ(rules.shows("t: id contact name"), "!");
  EXPECT_EQ(rules.status().code(), StatusCode::kRefused);
  EXPECT_THAT(rules.status().message(),
              AllOf(HasSubstr("relation public.t (16385)"), HasSubstr("public.t.email"),
                    HasSubstr("mask_columns \".*\\.(email|mail2)\""), HasSubstr("contact"), HasSubstr("on_lost_rule")));
}

TEST(RuleMemory, ComparesATableThatTookAnothersName) {
  Rules rules;
  rules.shows("t: id email");
  EXPECT_EQ(rules.shows("t: id mail", kOid + 1), "!");
  EXPECT_EQ(rules.shows("t: id email phone", kOid + 1), "id phone");
}

TEST(RuleMemory, KnowsWhoBearsANameNow) {
  Rules rules;
  EXPECT_EQ(rules.shows("t: id email", 1), "id");
  EXPECT_EQ(rules.shows("v: id email", 2), "id");
  EXPECT_EQ(rules.shows("u: id email", 1), "id");
  EXPECT_EQ(rules.shows("t: id mail", 3), "id mail") << "its name was given up";
  EXPECT_EQ(rules.shows("u: id mail", 4), "!");
  EXPECT_EQ(rules.shows("v: id mail", 5), "!");
}

TEST(RuleMemory, IncludingTablesHidesNothing) {
  Rules rules(OnLostRule::kStop, {.include_tables = {"public\\.t"}});
  EXPECT_TRUE(rules.memory().compare({described("t: id email"), described("u: id", 2)}).is_ok());
  EXPECT_EQ(rules.shows("t: id mail"), "id mail");
  EXPECT_EQ(rules.shows("u: id mail"), "-");
  EXPECT_TRUE(rules.memory().tables().empty());
}

TEST(RuleMemory, MasksWhatIsRenamedAgain) {
  Rules rules(OnLostRule::kMask);
  rules.shows("t: id email");
  EXPECT_EQ(rules.shows("t: id mail"), "id");
  EXPECT_EQ(rules.shows("t: id post"), "id");
  EXPECT_EQ(rules.shows("t: id post phone"), "id phone");
}

TEST(RuleMemory, IsHandedOnToTheNextRun) {
  Rules first;
  first.shows("t: id email");
  for (const bool renamed_before_the_start : {true, false}) {
    Rules second;
    second.memory().recall(first.memory().tables());
    const Status compared =
        second.memory().compare({described(renamed_before_the_start ? "t: id mail" : "t: id email")});
    EXPECT_EQ(compared.is_ok(), !renamed_before_the_start);
    if (compared.is_ok()) {
      EXPECT_EQ(second.shows("t: id mail"), "!");
    }
  }
}

TEST(RuleMemory, KnowsFromTheCatalogWhatTheStreamHasNotDescribed) {
  Rules rules;
  ASSERT_TRUE(rules.memory().compare({described("t: id email name generated")}).is_ok());
  EXPECT_EQ(rules.shows("t: id mail name"), "!");
  EXPECT_EQ(rules.shows("t: id email name"), "id name");
}

TEST(RuleMemory, DoesNotVouchForColumnsOfACatalogAheadOfTheStream) {
  Rules rules;
  ASSERT_TRUE(rules.memory().compare({described("t: id mail")}).is_ok());
  EXPECT_EQ(rules.shows("t: id email"), "id");
  EXPECT_EQ(rules.shows("t: id mail"), "!");
}

TEST(RuleMemory, GoesOnOnceARuleNamesTheNewColumn) {
  Rules first;
  first.shows("t: id email");
  SelectionOptions healed;
  healed.mask_columns = {{".*\\.(email|mail)", "***"}};
  Rules second(OnLostRule::kStop, healed);
  second.memory().recall(first.memory().tables());
  EXPECT_TRUE(second.memory().compare({described("t: id mail")}).is_ok());
  EXPECT_EQ(second.shows("t: id email"), "id") << "an older row";
  EXPECT_EQ(second.shows("t: id mail"), "id");
  const auto selection = *Selection::compile(healed);
  EXPECT_TRUE(selection->check({{"public", "t", {"id", "mail"}}}, second.memory().former_names()).is_ok());
  EXPECT_FALSE(selection->check({{"public", "t", {"id", "mail"}}}).is_ok());
}

TEST(RuleMemory, MasksOlderRowsWhoseRuleWasReplaced) {
  Rules first;
  first.shows("t: id email");
  SelectionOptions replaced;
  replaced.mask_columns = {{".*\\.mail", "***"}};
  Rules second(OnLostRule::kStop, replaced);
  second.memory().recall(first.memory().tables());
  EXPECT_TRUE(second.memory().compare({described("t: id mail")}).is_ok());
  EXPECT_EQ(second.shows("t: id email"), "id");
  EXPECT_EQ(second.shows("t: id mail"), "id");
}

TEST(RuleMemory, ForgetsARuleThatWasTakenAway) {
  Rules first;
  first.shows("t: id email");
  Rules second(OnLostRule::kStop, {});
  second.memory().recall(first.memory().tables());
  EXPECT_TRUE(second.memory().compare({described("t: id email")}).is_ok());
  EXPECT_EQ(second.shows("t: id email"), "id email");
}

TEST(RuleMemory, ForgetsADroppedColumn) {
  Rules rules;
  rules.shows("t: id email");
  EXPECT_EQ(rules.shows("t: id"), "id");
  EXPECT_EQ(rules.shows("t: id phone"), "id phone");
}

TEST(RuleMemory, WarnsOnceOfAKeyThatIsHidden) {
  const SelectionOptions options{.exclude_columns = {".*\\.b"},
                                 .mask_columns = {{".*\\.a", "***"}},
                                 .hash_columns = {{".*\\.c", ColumnRule::Digest::kSha256, "s"}}};
  for (const bool has_keys : {true, false}) {
    RuleMemory memory(*Selection::compile(options), OnLostRule::kStop, has_keys, log::Logger("db"));
    Relation relation = described("t: a b c d");
    relation.key = {0, 1, 2, 3};
    testing::internal::CaptureStderr();
    Relation first = relation;
    EXPECT_TRUE(memory.apply(first, {ChangePlace{{1}, 0}}).is_ok());
    EXPECT_TRUE(memory.apply(relation, {ChangePlace{{2}, 0}}).is_ok());
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), has_keys ? 2 : 0) << log;
    if (!has_keys) continue;
    EXPECT_THAT(log, AllOf(HasSubstr("public.t: the column a"), HasSubstr("masked (mask_columns \".*\\.a\")"),
                           HasSubstr("the column b"), HasSubstr("no tombstones")));
  }
}

TEST(RuleMemory, LooksBackWithoutAlarm) {
  Rules rules;
  EXPECT_EQ(rules.shows("t: id name"), "id name");
  EXPECT_EQ(rules.shows("t: id email"), "id");
  EXPECT_EQ(rules.shows_again("t: id name"), "id name") << "the transaction comes again after a cut";
  EXPECT_EQ(rules.shows_again("t: id email"), "id");
  EXPECT_EQ(rules.shows("t: id a email b"), "id a b");
  EXPECT_EQ(rules.shows("t: id a b mail2"), "id a b");
  EXPECT_EQ(rules.shows_again("t: id a email b"), "id a b");
  EXPECT_EQ(rules.shows_again("t: id name"), "id name");
  EXPECT_EQ(rules.shows("t: id a b mail2"), "id a b");
}

// What a table was like, one after the other; the last is refused, or shows under `mask` what is said.
struct History {
  std::vector<std::string> layouts;
  const char* masked;
};

TEST(RuleMemory, VouchesForNoNameThatMayMeanAnotherColumn) {
  const History histories[] = {
      {{"t: id note email", "t: id email", "t: id note"}, "id"},
      {{"t: id note", "t: id note email", "t: id email", "t: id note"}, "id"},
      {{"t: id note", "t: id email", "t: id note"}, "id"},
      {{"t: id a b email mail2", "t: id email mail2", "t: id a b"}, "id"},
      {{"t: id email x", "t: id email", "t: id x"}, "id"},
      {{"u: id secret", "t: id secret", "u: id secret"}, "id"},
  };
  for (const History& history : histories) {
    Rules stopping;
    Rules masking(OnLostRule::kMask);
    Rules going(OnLostRule::kContinue);
    std::string layouts;
    for (const std::string& layout : history.layouts) {
      layouts += layout + "; ";
      const bool is_last = &layout == &history.layouts.back();
      const std::string shown = stopping.shows(layout);
      EXPECT_EQ(shown == "!", is_last) << layouts;
      const std::string masked = masking.shows(layout);
      if (is_last) {
        EXPECT_EQ(masked, history.masked) << layouts;
      }
      EXPECT_NE(going.shows(layout), "!");
      EXPECT_EQ(going.shows(layout), going.shows_again(layout));
    }
  }
}

TEST(RuleMemory, PrintsATableThatTakesItsNameAgain) {
  Rules rules;
  EXPECT_EQ(rules.shows("open: id"), "id");
  EXPECT_EQ(rules.shows("hidden: id"), "-");
  EXPECT_EQ(rules.shows("open: id"), "id");
  EXPECT_EQ(rules.shows("hidden: id"), "-");
  EXPECT_EQ(rules.shows("other: id"), "!");
  EXPECT_EQ(rules.shows("hidden: id", kOid + 1), "-");
  EXPECT_EQ(rules.shows("open: id", kOid + 1), "!") << "another one printed under that name";
}

TEST(RuleMemory, IsToldOnceWhatMayBeSeen) {
  Rules going(OnLostRule::kContinue);
  going.shows("t: id email");
  EXPECT_EQ(going.shows("t: id note"), "id note");
  Rules next;
  next.memory().recall(going.memory().tables());
  EXPECT_TRUE(next.memory().compare({described("t: id note")}).is_ok());
  EXPECT_EQ(next.shows_again("t: id email"), "id") << "older rows";
  EXPECT_EQ(next.shows("t: id note"), "id note");
}

TEST(RuleMemory, IsToldBeforeTheStreamShowsIt) {
  Rules first;
  first.shows("t: id email");
  Rules going(OnLostRule::kContinue);
  going.memory().recall(first.memory().tables());
  EXPECT_TRUE(going.memory().compare({described("t: id note")}).is_ok());
  Rules next;
  next.memory().recall(going.memory().tables());
  EXPECT_TRUE(next.memory().compare({described("t: id note")}).is_ok());
  EXPECT_EQ(next.shows_again("t: id email"), "id") << "older rows";
  EXPECT_EQ(next.reads("t: id note"), "id note");
  EXPECT_EQ(next.shows("t: id note"), "id note");
  EXPECT_EQ(next.shows("t: id email"), "id");
  EXPECT_EQ(next.shows("t: id note"), "!") << "another column by that name";
}

TEST(RuleMemory, TakesACatalogAheadOfTheStreamForNoLayoutBefore) {
  Rules rules;
  rules.shows("t: id note email");
  EXPECT_EQ(rules.reads("t: id note email phone"), "id note phone");
  EXPECT_EQ(rules.shows("t: id email"), "id");
  EXPECT_EQ(rules.shows("t: id phone"), "!");
  EXPECT_EQ(rules.reads("t: id phone"), "!");
}

TEST(RuleMemory, ForgetsTheOldestLayoutsAndJudgesThemAnew) {
  Rules rules;
  rules.shows("t: id name");
  rules.shows("t: id name email");
  for (int i = 0; i < 100; ++i) rules.shows("t: id email c" + std::to_string(i));
  EXPECT_EQ(rules.memory().tables().front().printed.size(), 64U);
  EXPECT_EQ(rules.shows_again("t: id email c99"), "id c99");
  EXPECT_EQ(rules.shows_again("t: id name"), "!");
}

constexpr std::uint32_t kRoot = 16400;
constexpr std::uint32_t kOtherRoot = 16410;
constexpr std::uint32_t kLeaf = 16401;
constexpr std::uint32_t kOtherLeaf = 16402;

// Relations that have had the same physical table, one after the other; the last is refused, or shows under `mask`
// what is said.
struct Journey {
  struct Stop {
    const char* layout;
    std::uint32_t oid;
    std::vector<std::uint32_t> parts = {};
  };
  std::vector<Stop> stops;
  const char* masked;
};

TEST(RuleMemory, FollowsRowsThatComeUnderAnotherTablesName) {
  const SelectionOptions options{.exclude_tables = {".*\\.hidden"},
                                 .mask_columns = {{"public\\.orders\\.email", "***"}}};
  const Journey journeys[] = {
      {{{"orders: id email", kRoot, {kLeaf}}, {"orders_1: id email", kLeaf}}, "id"},
      {{{"orders: id email", kRoot, {kLeaf}}, {"orders_1: mail id", kLeaf}}, "id"},
      {{{"orders: id email", kRoot, {kLeaf}}, {"old: id email", kOtherRoot, {kLeaf}}}, "id"},
      {{{"old: id email", kOtherRoot, {kOtherLeaf}},
        {"orders: id email", kRoot, {kLeaf}},
        {"old: id email", kOtherRoot, {kLeaf}}},
       "id"},
      {{{"orders: id email", kLeaf}, {"old: id email", kRoot, {kLeaf}}}, "id"},
      {{{"orders: id email", kRoot, {kLeaf}}, {"old: id email", kOtherRoot, {kLeaf}}, {"orders_1: id email", kLeaf}},
       "id"},
      {{{"hidden: id", kRoot, {kLeaf}}, {"open: id", kLeaf}}, "-"},
      {{{"hidden: id", kLeaf}, {"open: id", kRoot, {kLeaf}}}, "-"},
      {{{"hidden: id", kRoot, {kLeaf, kOtherLeaf}}, {"open: id", kOtherRoot, {kOtherLeaf}}}, "-"},
  };
  for (const Journey& journey : journeys) {
    Rules stopping(OnLostRule::kStop, options);
    Rules masking(OnLostRule::kMask, options);
    Rules going(OnLostRule::kContinue, options);
    std::string way;
    for (const auto& [layout, oid, parts] : journey.stops) {
      way += std::string(layout) + "; ";
      const bool is_last = layout == journey.stops.back().layout && oid == journey.stops.back().oid &&
                           parts == journey.stops.back().parts;
      const bool was_lost = journey.stops.size() > 2 && oid == kOtherRoot && parts == std::vector{kLeaf};
      EXPECT_EQ(stopping.shows(layout, oid, parts) == "!", is_last || was_lost) << way;
      const std::string shown = masking.shows(layout, oid, parts);
      if (is_last) {
        EXPECT_EQ(shown, journey.masked) << way;
      }
      EXPECT_NE(going.shows(layout, oid, parts), "!");
    }
  }
}

TEST(RuleMemory, TakesOtherPartitionsForNoKin) {
  Rules rules;
  rules.memory().learn_parts(kRoot, {kLeaf, kOtherLeaf});
  EXPECT_EQ(rules.shows("hidden_1: id", kLeaf), "-");
  EXPECT_EQ(rules.shows("open: id", kOtherLeaf), "id");
  EXPECT_EQ(rules.shows("root: id", kRoot, {kOtherLeaf}), "id") << "only rows of that one come";
  EXPECT_EQ(rules.shows("root: id", kRoot, {kLeaf}), "!");
  EXPECT_EQ(rules.shows("root: id", kRoot), "!") << "of whichever";
  EXPECT_EQ(rules.reads("root: id", kRoot, {kLeaf, kOtherLeaf}), "!");
}

TEST(RuleMemory, HandsPartsOnToTheNextRun) {
  Rules first;
  first.memory().learn_parts(kRoot, {kLeaf});
  first.shows("t: id secret", kRoot);
  first.shows("other: id", kOtherRoot, {kOtherLeaf});
  ASSERT_EQ(first.memory().tables().size(), 1U);
  EXPECT_THAT(first.memory().tables().front().parts, testing::ElementsAre(kLeaf));
  Rules next;
  next.memory().recall(first.memory().tables());
  EXPECT_EQ(next.memory().tables(), first.memory().tables());
  EXPECT_FALSE(next.memory().compare({described("t_1: id secret", kLeaf)}).is_ok());
  EXPECT_EQ(next.shows("t_1: id secret", kLeaf), "!");
}

TEST(RuleMemory, MasksOlderRowsOfARootWhoseRuleHasGoneOnToThePartition) {
  for (const bool is_replaced : {true, false}) {
    Rules first;
    first.shows("t: id secret", kRoot, {kLeaf});
    SelectionOptions options;
    if (is_replaced) options.exclude_columns = {"public\\.t_1\\.secret"};
    Rules next(OnLostRule::kStop, options);
    next.memory().recall(first.memory().tables());
    EXPECT_TRUE(next.memory().compare({described("t_1: id secret", kLeaf)}).is_ok());
    EXPECT_EQ(next.shows_again("t: id secret", kRoot), is_replaced ? "id" : "id secret");
    EXPECT_EQ(next.shows("t_1: id secret", kLeaf), is_replaced ? "id" : "id secret");
  }
}

// The table as the catalog shows it: columns as `name/number`.
Relation numbered(const std::string& text) {
  Relation relation = described(text);
  for (Column& column : relation.columns) {
    const auto slash = column.name.find('/');
    column.number = static_cast<std::int16_t>(std::stoi(column.name.substr(slash + 1)));
    column.name.resize(slash);
  }
  return relation;
}

// A column list takes a column out of the stream, and brings it back.
TEST(RuleMemory, SuspectsWhatComesAfterAHiddenColumnThatIsNotSeenForAWhile) {
  Rules rules;
  ASSERT_TRUE(rules.memory().compare({numbered("u: id/1 email/2 name/3")}).is_ok());
  rules.shows("u: id email name");
  EXPECT_EQ(rules.shows("u: id name"), "id name");
  EXPECT_EQ(rules.shows("u: id name"), "id name");
  EXPECT_EQ(rules.shows("u: id mail name"), "!");
}

TEST(RuleMemory, SuspectsNothingOnceTheColumnIsKnownToBeDropped) {
  Rules rules;
  ASSERT_TRUE(rules.memory().compare({numbered("u: id/1 email/2 name/3")}).is_ok());
  rules.shows("u: id email name");
  EXPECT_TRUE(rules.memory().missing_columns().empty());
  rules.shows("u: id name");
  const std::vector<HiddenColumn> missing{{kOid, 2, "email"}};
  ASSERT_EQ(rules.memory().missing_columns(), missing);
  rules.memory().note_dropped(missing.front(), Lsn{1});
  EXPECT_TRUE(rules.memory().missing_columns().empty());
  EXPECT_EQ(rules.shows("u: id name note"), "id name note");
}

TEST(RuleMemory, SuspectsNoOtherColumnWhereAHiddenOneGotANameThatIsHiddenToo) {
  Rules rules;
  ASSERT_TRUE(rules.memory().compare({numbered("u: id/1 email/2 name/3")}).is_ok());
  rules.shows("u: id email name");
  EXPECT_EQ(rules.shows("u: id mail2 name"), "id name");
  EXPECT_EQ(rules.shows("u: id mail2 name note"), "id name note");
}

TEST(RuleMemory, KnowsAColumnByItsNumber) {
  Rules rules;
  ASSERT_TRUE(rules.memory().compare({numbered("u: id/1 note/2 email/3")}).is_ok());
  // One was dropped and the other got its name: the layout alone shows a column less.
  const Status lost = rules.memory().compare({numbered("u: id/1 note/3")});
  EXPECT_THAT(lost.message(), AllOf(HasSubstr("email"), HasSubstr("may now be note")));
}

TEST(RuleMemory, JudgesWhatCameBeforeALookByWhatWasKnownBeforeIt) {
  Rules rules;
  ASSERT_TRUE(rules.memory().compare({numbered("u: id/1 email/2 name/3")}, Lsn{0}).is_ok());
  ASSERT_TRUE(rules.memory().compare({numbered("u: id/1 mail2/2")}, Lsn{UINT64_MAX}).is_ok());
  EXPECT_EQ(rules.shows("u: id email name"), "id name");
  EXPECT_EQ(rules.shows("u: id mail2"), "id");
}

}  // namespace
}  // namespace walcat::test

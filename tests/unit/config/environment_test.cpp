#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "configuration_fixture.h"

namespace walcat::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string connector(const std::string& value) {
  return parsed(kOneDatabase + "connector_name: " + value + "\n").pipeline.serializer.connector_name;
}

TEST(Environment, ExpandsInsideValues) {
  const Environment name("WALCAT_TEST_NAME", "shop");
  EXPECT_EQ(connector("${WALCAT_TEST_NAME}"), "shop");
  EXPECT_EQ(connector("'a-${WALCAT_TEST_NAME}-${WALCAT_TEST_NAME}'"), "a-shop-shop");
}

TEST(Environment, TakesTheDefaultForUnsetAndEmpty) {
  const Environment empty("WALCAT_TEST_EMPTY", "");
  EXPECT_EQ(connector("${WALCAT_TEST_NOT_SET:-x y}"), "x y");
  EXPECT_EQ(connector("${WALCAT_TEST_EMPTY:-x}"), "x");
  EXPECT_EQ(connector("${WALCAT_TEST_NOT_SET:-${WALCAT_TEST_NEITHER:-z}}!"), "z!");
}

TEST(Environment, RefusesDefaultsWithinDefaultsWithoutEnd) {
  std::string value = "end";
  for (int i = 0; i < 32; ++i) value = "${WALCAT_TEST_NOT_SET:-" + value + "}";
  EXPECT_EQ(connector(value), "end");
  EXPECT_EQ(faults(kOneDatabase + "connector_name: ${WALCAT_TEST_NOT_SET:-" + value + "}\n"),
            "c.yaml:5:17: connector_name: ${ within the default of another, more than 32 deep");
}

TEST(Environment, IsNeverQuotedInAFault) {
  const Environment value("WALCAT_TEST_VALUE", "(xyzzy\t");
  const std::string of_database = "    include_tables: ['${WALCAT_TEST_VALUE}']\n    name: ['${WALCAT_TEST_VALUE}']\n";
  const std::string told = faults(kOneDatabase + of_database +
                                  "flush_interval: ${WALCAT_TEST_VALUE}\n"
                                  "log: {level: '${WALCAT_TEST_VALUE}'}\n"
                                  "output: {topic: '{${WALCAT_TEST_VALUE}}', key_separator: '${WALCAT_TEST_VALUE}'}\n"
                                  "retry_config: '${WALCAT_TEST_VALUE}'\n");
  EXPECT_THAT(told, HasSubstr("flush_interval: found a value from the environment (not shown); expected a duration"));
  EXPECT_THAT(told, HasSubstr("include_tables[0]: found a value from the environment"));
  EXPECT_THAT(told, HasSubstr("topic"));
  EXPECT_THAT(told, Not(HasSubstr("xyzzy")));
}

TEST(Environment, IsTakenUpToAMeasure) {
  const std::string text(100'000, 'x');
  const Environment value("WALCAT_TEST_LONG", text.c_str());
  std::string all;
  for (int i = 0; i < 400; ++i) all += "${WALCAT_TEST_LONG}";
  EXPECT_THAT(faults(kOneDatabase + "connector_name: " + all + "\n"), HasSubstr("more than 32 MiB"));
  std::string each = "log: [";
  for (int i = 0; i < 400; ++i) each += "'${WALCAT_TEST_LONG}',";
  EXPECT_THAT(faults(kOneDatabase + each + "]\n"), HasSubstr("more than 32 MiB"));
}

TEST(Environment, LeavesOtherDollarsAlone) {
  EXPECT_EQ(connector("pa$word$"), "pa$word$");
  EXPECT_EQ(connector("a$$b"), "a$b");
  EXPECT_EQ(connector("$${HOME}"), "${HOME}");
}

TEST(Environment, GivesNumbersAndDurationsToo) {
  const Environment number("WALCAT_TEST_NUMBER", "7");
  const auto configuration =
      parsed(kOneDatabase + "pipeline: {decoders: '${WALCAT_TEST_NUMBER}'}\nflush_interval: ${WALCAT_TEST_NUMBER}s\n");
  EXPECT_EQ(configuration.pipeline.street.decoders, 7U);
  EXPECT_EQ(configuration.pipeline.flush_interval, std::chrono::seconds(7));
  EXPECT_EQ(connector("${WALCAT_TEST_NUMBER}"), "7");
}

TEST(Environment, CannotSmuggleInKeys) {
  const Environment name("WALCAT_TEST_NAME", "x\nlog: {level: off}");
  const auto configuration = parsed(kOneDatabase + "connector_name: \"${WALCAT_TEST_NAME}\"\n");
  EXPECT_EQ(configuration.pipeline.serializer.connector_name, "x\nlog: {level: off}");
  EXPECT_EQ(configuration.log.level, log::Level::kInfo);
}

TEST(Environment, IsNotAskedForAnOverriddenValue) {
  EXPECT_EQ(faults(kOneDatabase + "connector_name: ${WALCAT_TEST_NOT_SET}\n", {"connector_name=x"}), "");
}

}  // namespace
}  // namespace walcat::test

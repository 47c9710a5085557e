#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "configuration_fixture.h"

namespace walcat::test {
namespace {

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

#include "walcat/model/topics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walcat {
namespace {

using testing::HasSubstr;

/// The topics of one template; `enter` tells what is wrong.
class TopicsOf {
 public:
  explicit TopicsOf(const std::string& text, const std::map<std::string, std::string>& taken = {})
      : topics_(text, "c", taken) {}
  std::string enter(std::string_view schema, std::string_view table, std::string_view database = "d",
                    std::string_view label = "d/s") {
    return topics_.enter(label, {database, schema, table}).message();
  }
  std::string surprises() { return topics_.take_surprises(); }

 private:
  Topics topics_;
};

constexpr const char* kDefault = "{connector}.{schema}.{table}";

TEST(Topics, AreMadeOfATemplateAndLegalCharacters) {
  const TopicTemplate topics("x {op}-{database}.{table}{schema}{connector}", "c\t1");
  EXPECT_EQ(topics.topic({"d", "s", "a\"b"}, 'u'), "x_u-d.a_bsc_1");
}

TEST(Topics, OfTwoTablesThatTheTemplateTellsApartMustDiffer) {
  TopicsOf topics(kDefault);
  EXPECT_EQ(topics.enter("public", "a|b"), "");
  EXPECT_EQ(topics.enter("public", "a|b"), "");
  EXPECT_THAT(topics.enter("public", "a\"b"), HasSubstr("topic c.public.a_b"));
  EXPECT_EQ(topics.enter("x.y", "z"), "");
  EXPECT_THAT(topics.enter("x", "y.z"), HasSubstr("\"x.y\".\"z\" of d/s"));
  EXPECT_EQ(topics.enter("public", "AB"), "");
  EXPECT_EQ(topics.enter("public", "ab"), "");
}

TEST(Topics, OfTablesThatTheTemplateMakesOneMayBeOne) {
  TopicsOf topics("all");
  EXPECT_EQ(topics.enter("public", "a"), "");
  EXPECT_EQ(topics.enter("public", "b"), "");
  EXPECT_EQ(topics.enter("public", "b", "other", "other/s"), "");
  EXPECT_EQ(topics.surprises(), "");
}

TEST(Topics, OfTwoDatabasesThatAreOneAreToldOfOnce) {
  TopicsOf topics(kDefault);
  topics.enter("public", "a");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(topics.enter("public", "a", "e", "e/s"), "");
  EXPECT_THAT(topics.surprises(), HasSubstr("{database}"));
  EXPECT_EQ(topics.enter("public", "a", "e", "e/s"), "");
  EXPECT_EQ(topics.surprises(), "");
}

TEST(Topics, AreNotThoseOfMessages) {
  TopicsOf topics("{connector}.{table}", {{"c.message", "logical messages"}});
  EXPECT_THAT(topics.enter("public", "message"), HasSubstr("logical messages"));
}

TEST(Topics, AreAsLongAsKafkaTakes) {
  TopicsOf topics("{table}");
  EXPECT_EQ(topics.enter("public", std::string(249, 'x')), "");
  EXPECT_THAT(topics.enter("public", std::string(250, 'x')), HasSubstr("249"));
  EXPECT_NE(topics.enter("public", ".."), "");
}

TEST(Topics, ThatMetricsDoNotTellApartAreToldOf) {
  TopicsOf topics("{table}");
  EXPECT_EQ(topics.enter("public", "a.b"), "");
  EXPECT_EQ(topics.enter("public", "a_b"), "");
  EXPECT_THAT(topics.surprises(), HasSubstr("a.b and a_b are one name"));
}

}  // namespace
}  // namespace walcat

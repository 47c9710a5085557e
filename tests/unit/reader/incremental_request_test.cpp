// The news of a snapshot as a notification's payload.

#include "walcat/reader/incremental_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace walcat::test {
namespace {

using testing::HasSubstr;

TEST(SnapshotNews, IsReadBackAsItWasTold) {
  for (const SnapshotNews& news : std::vector<SnapshotNews>{{"a1b2", "accepted", "2 tables, about 1000 rows"},
                                                            {"", "idle", ""},
                                                            {"q\"\\", "refused", "tab\t, \"quote\", \x01, ü\n"}}) {
    const auto back = parse_news(to_payload(news, "slot1"), "slot1");
    ASSERT_TRUE(back.has_value()) << to_payload(news, "slot1");
    EXPECT_EQ(back->id, news.id);
    EXPECT_EQ(back->state, news.state);
    EXPECT_EQ(back->text, news.text);
  }
}

TEST(SnapshotNews, IsOneObject) {
  EXPECT_EQ(to_payload({"a1b2", "complete", "7 rows"}, "slot1"),
            R"({"slot":"slot1","id":"a1b2","state":"complete","text":"7 rows"})");
}

TEST(SnapshotNews, RepairsATextThatWasCutInACharacter) {
  const auto back = parse_news(to_payload({"1", "refused", "x\xc3"}, "s"), "s");
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->text, "x\uFFFD");
}

TEST(SnapshotNews, OfOtherSlotsIsNothing) {
  EXPECT_FALSE(parse_news(to_payload({"1", "complete", ""}, "slot1"), "slot2").has_value());
}

// Anybody may notify on the channel.
TEST(SnapshotNews, OfOthersIsNothing) {
  for (const std::string& payload : std::vector<std::string>{
           "", "hello", "7", "[]", "null", "{}", R"({"slot":"s"})", R"({"slot":"s","id":"1","state":"complete"})",
           R"({"slot":"s","id":1,"state":"complete","text":""})", R"({"slot":"s","id":"1","state":null,"text":""})",
           R"({"slot":7,"id":"1","state":"complete","text":""})", R"({"slot":"s","id":"1","state":"complete","text":")",
           "{\"slot\":\"s\",\"id\":\"\xff\",\"state\":\"complete\",\"text\":\"\"}"}) {
    EXPECT_FALSE(parse_news(payload, "s").has_value()) << payload;
  }
}

}  // namespace
}  // namespace walcat::test

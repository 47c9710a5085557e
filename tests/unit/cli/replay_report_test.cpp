// What a replay says of itself at its end: a table for people, a JSON object for programs.

#include "cli/replay_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>

namespace walcat {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

ReplayTally tally_of_one() {
  ReplayTally tally;
  tally.time = 2s;
  tally.frames = 3000;
  tally.frame_bytes = 90'000;
  tally.changes = 1000;
  tally.line_bytes = 4'000'000;
  tally.delays.add(31ns, 990);
  tally.delays.add(5ms, 10);
  tally.lanes = {{"shop", 1000}};
  return tally;
}

ReplayTally tally_of_two() {
  ReplayTally tally = tally_of_one();
  tally.lanes = {{"shop", 600}, {"a \"quoted\" name", 400}};
  return tally;
}

ReplayOptions at_rate(double rate) {
  ReplayOptions asked;
  asked.tempo = ReplayOptions::Tempo::kRate;
  asked.rate = rate;
  return asked;
}

ReplayOptions at_speed(double speed) {
  ReplayOptions asked;
  asked.tempo = ReplayOptions::Tempo::kRecorded;
  asked.speed = speed;
  return asked;
}

TEST(ReplayTable, SaysHowMuchAndHowFast) {
  EXPECT_EQ(tally_table(tally_of_one(), {}),
            "replay            changes      changes/s         MB/s\n"
            "all                  1000            500          2.0   in 2.000 s; asked for: as fast as it goes\n"
            "delay, us           p50          p90          p99        p99_9          max\n"
            "                    0.0          0.0          0.0       5000.0       5000.0\n");
}

TEST(ReplayTable, SaysWhatWasAskedFor) {
  EXPECT_THAT(tally_table(tally_of_one(), at_rate(5000)), HasSubstr("asked for: 5000 changes/s\n"));
  EXPECT_THAT(tally_table(tally_of_one(), at_rate(0.5)), HasSubstr("asked for: 0.5 changes/s\n"));
  EXPECT_THAT(tally_table(tally_of_one(), at_speed(2)), HasSubstr("asked for: 2 x as recorded\n"));
}

TEST(ReplayTable, TellsDatabasesApartWhereThereAreSeveral) {
  EXPECT_THAT(tally_table(tally_of_one(), {}), Not(HasSubstr("shop")));
  const std::string table = tally_table(tally_of_two(), {});
  EXPECT_THAT(table, HasSubstr("\n                      600            300   shop\n"));
  EXPECT_THAT(table, HasSubstr("\n                      400            200   a \"quoted\" name\n"));
}

TEST(ReplayTable, OfNothingHasNoDelays) {
  EXPECT_EQ(tally_table({}, {}),
            "replay            changes      changes/s         MB/s\n"
            "all                     0              0          0.0   in 0.000 s; asked for: as fast as it goes\n");
}

class ReplayJson : public testing::Test {
 protected:
  simdjson::dom::element parse(const ReplayTally& tally, const ReplayOptions& asked) {
    const std::string text = tally_json(tally, asked);
    EXPECT_THAT(text, EndsWith("}\n"));
    EXPECT_EQ(text.find('\n'), text.size() - 1) << "one line";
    return parser_.parse(text);
  }

 private:
  simdjson::dom::parser parser_;
};

TEST_F(ReplayJson, HoldsTheTally) {
  const auto json = parse(tally_of_two(), at_rate(5000));
  EXPECT_EQ(json["changes"].get_uint64().value(), 1000U);
  EXPECT_EQ(json["frames"].get_uint64().value(), 3000U);
  EXPECT_EQ(json["frame_bytes"].get_uint64().value(), 90'000U);
  EXPECT_EQ(json["line_bytes"].get_uint64().value(), 4'000'000U);
  EXPECT_EQ(json["seconds"].get_double().value(), 2);
  EXPECT_EQ(json["rate"]["asked"].get_double().value(), 5000);
  EXPECT_TRUE(json["rate"]["speed_asked"].is_null());
  EXPECT_EQ(json["rate"]["changes_per_second"].get_double().value(), 500);
  EXPECT_EQ(json["rate"]["bytes_per_second"].get_double().value(), 2'000'000);
  EXPECT_EQ(json["delay_us"]["p50"].get_double().value(), 0.0);
  EXPECT_EQ(json["delay_us"]["p99_9"].get_double().value(), 5000.0);
  EXPECT_EQ(json["delay_us"]["max"].get_double().value(), 5000.0);
  ASSERT_EQ(json["databases"].get_array().size(), 2U);
  EXPECT_EQ(json["databases"].at(0)["label"].get_string().value(), "shop");
  EXPECT_EQ(json["databases"].at(0)["changes"].get_uint64().value(), 600U);
  EXPECT_EQ(json["databases"].at(1)["label"].get_string().value(), "a \"quoted\" name");
  EXPECT_GE(json["cpu_seconds"].get_double().value(), 0);
  EXPECT_GT(json["peak_memory_bytes"].get_uint64().value(), 0U);
}

TEST_F(ReplayJson, SaysWhichTempoWasAskedFor) {
  const auto speed = parse(tally_of_one(), at_speed(0.25))["rate"];
  EXPECT_TRUE(speed["asked"].is_null());
  EXPECT_EQ(speed["speed_asked"].get_double().value(), 0.25);
  const auto most = parse(tally_of_one(), {})["rate"];
  EXPECT_TRUE(most["asked"].is_null());
  EXPECT_TRUE(most["speed_asked"].is_null());
  EXPECT_EQ(parse(tally_of_one(), at_rate(1e30))["rate"]["asked"].get_double().value(), 1e30);
}

TEST_F(ReplayJson, OfNothingHasTheSameKeys) {
  const auto json = parse({}, {});
  EXPECT_EQ(json["changes"].get_uint64().value(), 0U);
  EXPECT_EQ(json["rate"]["changes_per_second"].get_double().value(), 0);
  EXPECT_EQ(json["delay_us"]["max"].get_double().value(), 0);
  EXPECT_EQ(json["databases"].get_array().size(), 0U);
}

}  // namespace
}  // namespace walcat

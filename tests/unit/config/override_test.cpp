#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "configuration_fixture.h"

namespace walcat::test {
namespace {

TEST(Override, WinsOverTheFile) {
  const auto configuration = parsed(kOneDatabase + "flush_interval: 1s\n", {"flush_interval=2s"});
  EXPECT_EQ(configuration.pipeline.flush_interval, std::chrono::seconds(2));
}

TEST(Override, MakesSectionsThatAreMissing) {
  EXPECT_EQ(parsed(kOneDatabase, {"log.level=debug"}).log.level, log::Level::kDebug);
  EXPECT_EQ(parsed(kOneDatabase + "log:\n", {"log.level=debug"}).log.level, log::Level::kDebug);
}

TEST(Override, ReachesIntoListsByNumber) {
  const auto configuration =
      parsed(kOneDatabase, {"databases.0.slot_name=t", "databases.0.tables=[a.b, c.d]", "databases.0.tables.1=e.f"});
  EXPECT_EQ(configuration.pipeline.databases[0].slot_name, "t");
  EXPECT_EQ(configuration.pipeline.databases[0].tables, (std::vector<TableName>{{"a", "b"}, {"e", "f"}}));
}

TEST(Override, BuildsAConfigurationFromNothing) {
  const auto configuration =
      parsed("", {"databases.0.conn_str=host=h dbname=d", "databases.0.slot_name=s", "databases.0.publication_name=p"});
  EXPECT_EQ(configuration.pipeline.databases[0].label, "d/s");
}

TEST(Override, IsNamedInItsFaults) {
  EXPECT_EQ(faults(kOneDatabase, {"databases.0.slot_nam=X"}),
            "--set databases.0.slot_nam=X: databases[0].slot_nam: unknown key; did you mean slot_name?");
  EXPECT_EQ(faults(kOneDatabase, {"flush_interval=2s", "flush_interval=3"}),
            "--set flush_interval=3: flush_interval: found the number 3; expected a duration with its unit (500ms, "
            "10s, 5m, 1h), from 1ms to 24h");
}

TEST(Override, IsRefusedWherePathsLeadNowhere) {
  EXPECT_EQ(faults(kOneDatabase, {"databases.2.slot_name=x"}),
            "--set databases.2.slot_name=x: databases: found index \"2\"; expected a number from 0 to 1");
  EXPECT_EQ(faults(kOneDatabase, {"databases.s.slot_name=x"}),
            "--set databases.s.slot_name=x: databases: found index \"s\"; expected a number from 0 to 1");
  EXPECT_EQ(faults(kOneDatabase, {"databases.0.slot_name.x=1"}),
            "--set databases.0.slot_name.x=1: databases[0].slot_name: found \"s\"; it has no key \"x\"");
  EXPECT_EQ(faults(kOneDatabase, {"log"}), "--set log: expected path.to.key=value");
  EXPECT_EQ(faults(kOneDatabase, {"=1"}), "--set =1: expected path.to.key=value");
  EXPECT_EQ(faults(kOneDatabase, {"log..level=1"}), "--set log..level=1: expected path.to.key=value");
  EXPECT_EQ(faults(kOneDatabase, {"log={"}), "--set log={: cannot be read as YAML: end of map flow not found");
}

}  // namespace
}  // namespace walcat::test

// Which slots are waited for, and which are refused.

#include "reader/position_check.h"

#include <gtest/gtest.h>

namespace walcat::test {
namespace {

StatusCode checked(const SlotState& slot) {
  ServerIdentity server;
  server.database = "shop";
  DatabaseOptions options;
  options.slot_name = "walcat";
  return check_slot(slot, server, options).code();
}

SlotState slot_of(const char* plugin, const char* database, int pid) {
  SlotState slot;
  slot.plugin = plugin;
  slot.database = database;
  slot.active_pid = pid;
  return slot;
}

TEST(SlotCheck, PassesAFreeSlotAndWaitsForAnActiveOne) {
  EXPECT_EQ(checked(slot_of("pgoutput", "shop", 0)), StatusCode::kOk);
  EXPECT_EQ(checked(slot_of("pgoutput", "shop", 7)), StatusCode::kWaiting);
}

TEST(SlotCheck, WaitsForASlotThatHasNoPluginYet) { EXPECT_EQ(checked(slot_of("", "shop", 7)), StatusCode::kWaiting); }

TEST(SlotCheck, RefusesWhatIsForeignEvenWhileItIsActive) {
  EXPECT_EQ(checked(slot_of("", "", 7)), StatusCode::kRefused);
  EXPECT_EQ(checked(slot_of("test_decoding", "shop", 7)), StatusCode::kRefused);
  EXPECT_EQ(checked(slot_of("pgoutput", "another", 7)), StatusCode::kRefused);
  EXPECT_EQ(checked(slot_of("", "another", 7)), StatusCode::kRefused);
}

}  // namespace
}  // namespace walcat::test

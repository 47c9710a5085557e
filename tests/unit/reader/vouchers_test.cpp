// Which locks vouch for a question.

#include "walcat/reader/vouchers.h"

#include <gtest/gtest.h>

#include <string>

namespace walcat::test {
namespace {

const std::string kDigest = "0000000000000001ffffffffffffffff7fffffffffffffff8000000000000000";
constexpr Vouchers::Locks kLocks{1, -1, INT64_MAX, INT64_MIN};

Vouchers held_by(const std::string& session) {
  Vouchers vouchers;
  for (const std::int64_t lock : kLocks) vouchers.add(session, lock);
  return vouchers;
}

TEST(Vouchers, SpellADigest) { EXPECT_EQ(Vouchers::locks_of(kDigest), kLocks); }

TEST(Vouchers, VouchWithAllLocksOfOneSession) {
  EXPECT_TRUE(held_by("1").vouch_for(kDigest));
  for (std::size_t missing = 0; missing < kLocks.size(); ++missing) {
    Vouchers vouchers;
    for (std::size_t i = 0; i < kLocks.size(); ++i) vouchers.add(i == missing ? "2" : "1", kLocks[i]);
    EXPECT_FALSE(vouchers.vouch_for(kDigest)) << missing;
  }
  EXPECT_FALSE(Vouchers().vouch_for(kDigest));
}

TEST(Vouchers, VouchForNoOtherDigest) {
  std::string other = kDigest;
  for (char& digit : other) {
    const char before = digit;
    digit = digit == '3' ? '4' : '3';
    EXPECT_FALSE(held_by("1").vouch_for(other)) << other;
    digit = before;
  }
  EXPECT_FALSE(held_by("1").vouch_for(""));
  EXPECT_FALSE(held_by("1").vouch_for(kDigest + "0"));
}

TEST(Vouchers, OfTwoLooksAreThoseThatBothHaveSeen) {
  Vouchers same = held_by("1");
  same.keep(held_by("1"));
  EXPECT_TRUE(same.vouch_for(kDigest));
  Vouchers other = held_by("1");
  other.keep(held_by("2"));
  EXPECT_FALSE(other.vouch_for(kDigest));
}

}  // namespace
}  // namespace walcat::test

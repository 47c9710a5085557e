// A catalog whose types, or whose tables, stand within themselves.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/known_types.h"
#include "postgres/member_rows.h"

namespace walcat {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kOid = 20000;

KnownTypes::Rows::Row domain(std::uint32_t oid, std::uint32_t base) { return {oid, "s", "t", 'd', base, -1, 0, ','}; }
KnownTypes::Rows::Row array(std::uint32_t oid, std::uint32_t element) {
  return {oid, "s", "t", 'b', 0, -1, element, ','};
}

// Asks a catalog of these types until it has told all.
template <typename Describe>
Status learn(KnownTypes& types, const Describe& describe) {
  while (!types.wanted().empty()) {
    std::vector<KnownTypes::Rows::Row> rows;
    for (const std::uint32_t oid : types.wanted()) rows.push_back(describe(oid));
    if (Status added = types.add(rows); !added.is_ok()) return added;
  }
  return Status::ok();
}

TEST(KnownTypes, JoinWhatATypeIsMadeOf) {
  KnownTypes types({23, kOid});
  ASSERT_TRUE(
      learn(types, [](std::uint32_t oid) { return oid == kOid ? array(oid, oid + 1) : domain(oid, 23); }).is_ok());
  const auto joined = types.joined(kOid);
  ASSERT_TRUE(joined.is_ok());
  EXPECT_EQ((*joined)->element->base_oid, 23U);
  EXPECT_EQ((*joined)->element->base, nullptr);
  EXPECT_EQ(*types.joined(23), nullptr);
}

TEST(KnownTypes, GiveUpADomainOfItself) {
  KnownTypes types({kOid});
  ASSERT_TRUE(learn(types, [](std::uint32_t oid) { return domain(oid, oid); }).is_ok());
  const Status joined = types.joined(kOid).status();
  EXPECT_EQ(joined.code(), StatusCode::kProtocolError);
  EXPECT_THAT(joined.message(),
              HasSubstr("more than 100 types stand within one another, among them the one with OID 20000"));
}

TEST(KnownTypes, GiveUpAnArrayWhoseElementsAreTheArray) {
  KnownTypes types({kOid});
  ASSERT_TRUE(learn(types, [](std::uint32_t oid) { return array(oid, oid); }).is_ok());
  EXPECT_FALSE(types.joined(kOid).is_ok());
}

TEST(KnownTypes, GiveUpDomainsOfDomainsWithoutEnd) {
  KnownTypes types({kOid});
  EXPECT_EQ(learn(types, [](std::uint32_t oid) { return domain(oid, oid + 1); }).code(), StatusCode::kProtocolError);
}

// Both parts of each would double what is joined with every level.
TEST(KnownTypes, JoinTypesOfTwoPartsInOneLine) {
  KnownTypes types({kOid});
  ASSERT_TRUE(learn(types, [](std::uint32_t oid) {
                const bool is_last = oid == kOid + 90;
                return KnownTypes::Rows::Row{oid, "s", "t", 'd', is_last ? 23 : oid + 1, -1, is_last ? 23 : oid + 1,
                                             ','};
              }).is_ok());
  EXPECT_TRUE(types.joined(kOid).is_ok());
}

TEST(KnownTypes, AskOnceForWhatIsGone) {
  KnownTypes types({kOid});
  std::vector<KnownTypes::Rows::Row> none;
  ASSERT_TRUE(types.add(none).is_ok());
  EXPECT_TRUE(types.wanted().empty());
  EXPECT_EQ(*types.joined(kOid), nullptr);
}

MemberRows::Row level(std::uint32_t oid) {
  return {kOid,  oid,   "s",   "t",  false, std::nullopt, std::nullopt, "r1",     7,
          false, false, false, true, true,  false,        true,         "o1.i.10"};
}

TEST(MemberRows, AreATableAndTheTablesAboveIt) {
  const auto members = read_members({level(kOid), level(kOid + 1), level(kOid + 2)});
  ASSERT_TRUE(members.is_ok());
  ASSERT_EQ(members->size(), 1U);
  EXPECT_EQ(members->front().ancestors.size(), 2U);
  EXPECT_EQ(members->front().membership, "o1.i.10 r1 r1/7 r1/7/7");
}

TEST(MemberRows, HaveAnEnd) {
  std::vector<MemberRows::Row> rows;
  for (std::uint32_t i = 0; i < 33; ++i) rows.push_back(level(kOid + i));
  const Status read = read_members(rows).status();
  EXPECT_EQ(read.code(), StatusCode::kProtocolError);
  EXPECT_THAT(read.message(), HasSubstr("table s.t (OID 20000) has more than 31 partitioned tables above it"));
  rows.pop_back();
  EXPECT_TRUE(read_members(rows).is_ok());
}

}  // namespace
}  // namespace walcat

#include "reader/relation_descriptions.h"

#include <gtest/gtest.h>

#include <string>

#include "xlog_frames.h"

namespace walcat {
namespace {

using namespace test;

constexpr std::uint32_t kRelation = 16384;

std::string relation() { return frame("R" + u32(kRelation) + "public"); }
std::string type(std::uint32_t oid) { return frame("Y" + u32(oid) + "public"); }

// What is known of a relation that the server describes by so many Type messages.
std::size_t frames_known(std::uint32_t types) {
  RelationDescriptions descriptions;
  for (std::uint32_t i = 0; i < types; ++i) descriptions.pass(type(20000 + i));
  descriptions.pass(relation());
  return descriptions.find(kRelation)->size();
}

TEST(RelationDescriptions, HoldAsManyTypesAsARelationHasColumns) { EXPECT_EQ(frames_known(1600), 1601U); }

TEST(RelationDescriptions, HoldNoMoreTypesThanThat) { EXPECT_EQ(frames_known(1601), 2U); }

}  // namespace
}  // namespace walcat

#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "offsets/temporary_folder.h"
#include "walcat/offsets/offset_file.h"

namespace walcat::test {

/// An offset file in a folder of the case's own.
class StoredOffset : public testing::Test {
 protected:
  /// The text of the file that holds `offset`.
  std::string stored(const Offset& offset) {
    const Status status = file_.store(offset);
    EXPECT_TRUE(status.is_ok()) << status.message();
    return file_content(file_.path());
  }
  /// The same with `to` instead of `from`.
  std::string stored_with(const Offset& offset, const std::string& from, const std::string& to) {
    std::string text = stored(offset);
    EXPECT_NE(text.find(from), std::string::npos) << from;
    return text.replace(text.find(from), from.size(), to);
  }
  Offset loaded() {
    const auto loaded = file_.load();
    EXPECT_TRUE(loaded.is_ok()) << loaded.status().message();
    return loaded.is_ok() && *loaded ? **loaded : Offset{};
  }
  Offset stored_and_loaded(const Offset& offset) {
    stored(offset);
    return loaded();
  }
  void expect_gap(const std::string& text) {
    put_file(file_.path(), text);
    const auto loaded = file_.load();
    ASSERT_FALSE(loaded.is_ok()) << text;
    EXPECT_EQ(loaded.status().code(), StatusCode::kGap) << text;
    EXPECT_THAT(loaded.status().message(), testing::HasSubstr(file_.path()));
  }

  TemporaryFolder folder_;
  OffsetFile file_{folder_ / "offset"};
};

}  // namespace walcat::test

// What a terminal's last line shows. Where stderr is no terminal, it is taken for one of 80 columns.

#include "base/status_line.h"

#include <gtest/gtest.h>

#include <string>

#include "walcat/base/utf8.h"

namespace walcat::log {
namespace {

constexpr std::string_view kErase = "\r\033[K";

std::string shown(const std::string& database, const std::string& text) {
  StatusLine line;
  testing::internal::CaptureStderr();
  line.show(database, text);
  std::string all = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(all.starts_with(kErase));
  return all.substr(kErase.size());
}

TEST(StatusLine, ShowsNothingThatATerminalObeys) {
  EXPECT_EQ(shown("d\x1b[2J", "a\nb\u009b\xff"), "d\\u001b[2J a\\u000ab\\u009b\uFFFD");
}

TEST(StatusLine, IsCutBetweenCharacters) {
  const std::string wide = "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字";
  for (const std::string before : {"", "a", "ab"}) {
    const std::string line = shown("d", before + wide);
    EXPECT_LE(line.size(), 79);
    EXPECT_GE(line.size(), 76);
    EXPECT_EQ(with_replacements(line), line);
  }
}

}  // namespace
}  // namespace walcat::log

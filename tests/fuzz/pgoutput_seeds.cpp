// Inputs of pgoutput_fuzz, made frame by frame.

#include <string>
#include <vector>

#include "decoder/frames.h"
#include "fuzz_target.h"
#include "pgoutput_input.h"

namespace walcat::test {
namespace {

class Seed {
 public:
  explicit Seed(unsigned options) : bytes_(1, static_cast<char>(options)) {}

  Seed& frame(const std::string& bytes, unsigned bits = 0) {
    const auto head = static_cast<unsigned>(bytes.size()) | bits;
    bytes_ += static_cast<char>(head & 0xFF);
    bytes_ += static_cast<char>(head >> 8);
    bytes_ += bytes;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace

std::vector<std::string> seeds() {
  const TableSpec table{
      16384, "public", "t\"", 'f', {{"id", kInt4, true}, {"v", kText, true}, {"b", kBool, true}, {"n", 20000, true}}};
  std::vector<std::string> all;
  for (unsigned options = 0; options < 256; options += 1 + options / 16) {
    all.push_back(
        Seed(options)
            .frame(keepalive(900))
            .frame(at(1500, logical_message(false, 1500, "p", "outside")))
            .frame(at(1600, begin(2000)))
            .frame(at(0, origin(7, "upstream")))
            .frame(at(0, type(20000, "", "numeric")))
            .frame(at(0, relation(table)))
            .frame(at(1910, insert(16384, {"1", "one\n\"\\", "t", "1.50"})))
            .frame(at(1920, update(16384, {"1", kUnchangedValue, kNullValue, "NaN"})), kNewBatch)
            .frame(at(1930, update(16384, 'K', {"1", kNullValue, kNullValue, kNullValue}, {"2", "x", "f", "0"})))
            .frame(at(1940, update(16384, 'O', {"2", "x", "f", "0"}, {"2", kUnchangedValue, "t", "-1e5"})))
            .frame(keepalive(1950))
            .frame(at(1960, logical_message(true, 1960, "p", std::string("\0\xFF", 2))))
            .frame(at(1970, remove(16384, 'O', {"2", std::string(100, '\x01'), "t", "-1e5"})))
            .frame(at(1980, truncate({16384, 16384}, 3)))
            .frame(at(2010, commit(2000, 2010)))
            .frame(keepalive(2500, true))
            .bytes());
    all.push_back(Seed(options)
                      .frame(at(0, begin(2000)))
                      .frame(at(0, relation({1, "", "k", 'd', {{"id", kInt4, true}}})))
                      .frame(at(1910, insert(1, {"1"})))
                      .frame(at(1920, insert(1, {"2"})))
                      .frame(at(0, begin(2000)), kReconnect)
                      .frame(at(0, relation({1, "", "k", 'd', {{"id", kInt4, true}}})))
                      .frame(at(1910, insert(1, {"1"})))
                      .frame(at(1920, insert(1, {"2"})))
                      .frame(at(1930, insert(1, {"3"})))
                      .frame(at(0, relation({1, "", "k", 'd', {{"id", kInt4, true}, {"v"}}})))
                      .frame(at(1940, remove(1, 'K', {"3", kNullValue})))
                      .frame(at(2010, commit(2000, 2010)))
                      .bytes());
    // What used to be, or would be, easy to get wrong.
    all.push_back(Seed(options)
                      .frame(at(0, begin(2000)))
                      .frame(at(0, relation({1, "s", "none", 'n', {}})))
                      .frame(at(1910, insert(1, {})))
                      .frame(at(1920, truncate({})))
                      .frame(at(1930, truncate({1, 2})))
                      .bytes());
    all.push_back(Seed(options).frame("").frame("w").bytes());
  }
  return all;
}

}  // namespace walcat::test

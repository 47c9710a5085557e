#include "enum_values.h"

#include <functional>
#include <set>

namespace walcat {

namespace {

class EnumWriter final : public CellWriter {
 public:
  EnumWriter(std::uint32_t type_oid, const std::vector<std::string>& labels)
      : type_oid_(type_oid), labels_(labels.begin(), labels.end()) {}

  bool write(LineWriter& out, std::string_view text) const override {
    if (!labels_.contains(text)) [[unlikely]]
      out.strange_label(type_oid_, text);
    out.string(text);
    return true;
  }

 private:
  std::uint32_t type_oid_;
  std::set<std::string, std::less<>> labels_;
};

}  // namespace

std::unique_ptr<const CellWriter> enum_writer(std::uint32_t type_oid, const std::vector<std::string>& labels) {
  return std::make_unique<const EnumWriter>(type_oid, labels);
}

}  // namespace walcat

#include "relation_fragments.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "line_writer.h"

namespace walcat {

namespace {

constexpr std::uint32_t kBoolOid = 16;
constexpr std::uint32_t kInt8Oid = 20;
constexpr std::uint32_t kInt2Oid = 21;
constexpr std::uint32_t kInt4Oid = 23;
constexpr std::uint32_t kOidOid = 26;
constexpr std::uint32_t kFloat4Oid = 700;
constexpr std::uint32_t kFloat8Oid = 701;
constexpr std::uint32_t kNumericOid = 1700;

bool is_number(std::uint32_t oid) {
  switch (oid) {
    case kInt8Oid:
    case kInt2Oid:
    case kInt4Oid:
    case kOidOid:
    case kFloat4Oid:
    case kFloat8Oid:
    case kNumericOid: return true;
    default: return false;
  }
}

// A domain comes with the name of its base type, in the empty schema when that is built in.
std::uint32_t base_type_oid(const Column& column) {
  static constexpr std::pair<std::string_view, std::uint32_t> kBaseTypes[] = {
      {"bool", kBoolOid}, {"int8", kInt8Oid},     {"int2", kInt2Oid},     {"int4", kInt4Oid},
      {"oid", kOidOid},   {"float4", kFloat4Oid}, {"float8", kFloat8Oid}, {"numeric", kNumericOid}};
  if (column.type_name.empty() || !column.type_schema.empty()) return column.type_oid;
  for (const auto& [name, oid] : kBaseTypes) {
    if (name == column.type_name) return oid;
  }
  return column.type_oid;
}

std::string json_string(std::string_view text) {
  ByteBuffer padded(text.size());
  padded.append(text);
  ByteBuffer json(text.size() + 2);
  LineWriter writer(json);
  writer.string(padded.view());
  writer.close();
  return std::string(json.view());
}

}  // namespace

ValueForm value_form(const Column& column, Values values) {
  if (values == Values::kText) return ValueForm::kString;
  const std::uint32_t oid = base_type_oid(column);
  if (oid == kBoolOid) return ValueForm::kBoolean;
  return is_number(oid) ? ValueForm::kNumber : ValueForm::kString;
}

RelationFragments::RelationFragments(const Relation* relation, const std::string& database,
                                     const SerializerOptions& options)
    : bytes_(512) {
  const std::string schema = relation == nullptr ? "" : relation->schema;
  const std::string table = relation == nullptr ? "" : relation->name;
  const std::string& connector = options.connector_name;
  const std::string name = relation == nullptr ? connector : connector + "_" + schema;
  source_head_ = add(fmt::format(R"(,"source":{{"version":"{}","connector":{},"name":{},"ts_ms":)", WALCAT_VERSION,
                                 json_string(connector), json_string(name)));
  source_middle_ = add(fmt::format(R"(,"snapshot":"false","db":{},"schema":{},"table":{},"txId":)",
                                   json_string(database), json_string(schema), json_string(table)));
  if (relation == nullptr) return;
  for (const Column& column : relation->columns) {
    const Slice text = add(fmt::format(",{}:", json_string(column.name)));
    columns_.push_back({static_cast<std::uint32_t>(text.offset), static_cast<std::uint32_t>(text.size),
                        value_form(column, options.values), column.is_key});
  }
}

RelationFragments::Slice RelationFragments::add(std::string_view text) {
  const Slice added{bytes_.size(), text.size()};
  bytes_.append(text);
  return added;
}

const RelationFragments& FragmentCache::get(const Relation* relation, const Batch& batch) {
  if (relation == nullptr) {
    auto& fragments = of_messages_[batch.lane];
    if (fragments == nullptr) fragments = std::make_unique<RelationFragments>(nullptr, *batch.database, options_);
    return *fragments;
  }
  if (const auto found = of_relation_.find(relation); found != of_relation_.end()) return *found->second.fragments;
  if (of_relation_.size() >= kRelationsMost) of_relation_.clear();
  const auto owner = std::find_if(batch.relations.begin(), batch.relations.end(),
                                  [&](const auto& pinned) { return pinned.get() == relation; });
  Entry& entry = of_relation_[relation];
  entry = Entry{*owner, std::make_unique<RelationFragments>(relation, *batch.database, options_)};
  return *entry.fragments;
}

}  // namespace walcat

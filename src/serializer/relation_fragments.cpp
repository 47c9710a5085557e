#include "relation_fragments.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "quoted_json.h"
#include "walcat/serializer/printed_names.h"

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

// `type` with another label of the enum, which may be its base or its elements; itself if that has nothing to do with
// it.
std::shared_ptr<const Type> with_label(const std::shared_ptr<const Type>& type, std::uint32_t enum_oid,
                                       const std::string& label) {
  if (type == nullptr) return type;
  const auto& labels = type->labels;
  const bool is_new = type->oid == enum_oid && std::find(labels.begin(), labels.end(), label) == labels.end();
  auto base = with_label(type->base, enum_oid, label);
  auto element = with_label(type->element, enum_oid, label);
  if (!is_new && base == type->base && element == type->element) return type;
  Type changed = *type;
  if (is_new) changed.labels.push_back(label);
  changed.base = std::move(base);
  changed.element = std::move(element);
  return std::make_shared<const Type>(std::move(changed));
}

const char* number_schema(const Column& column) {
  switch (base_type_oid(column)) {
    case kInt2Oid: return "int16";
    case kInt4Oid: return "int32";
    case kInt8Oid:
    case kOidOid: return "int64";
    case kFloat4Oid: return "float";
    default: return "double";
  }
}

}  // namespace

ValueForm value_form(const Column& column, Values values) {
  if (values == Values::kText) return ValueForm::kString;
  if (values == Values::kDebezium) return ValueForm::kPlanned;
  const std::uint32_t oid = base_type_oid(column);
  if (oid == kBoolOid) return ValueForm::kBoolean;
  return is_number(oid) ? ValueForm::kNumber : ValueForm::kString;
}

RelationFragments::RelationFragments(const Relation* relation, const std::string& database,
                                     const SerializerOptions& options)
    : relation_(relation), database_name_(database), bytes_(512) {
  const std::string schema = relation == nullptr ? "" : relation->schema;
  const std::string& connector = options.connector_name;
  connector_ = add(quoted_json(connector));
  database_ = add(quoted_json(database));
  schema_ = add(quoted_json(schema));
  table_ = add(quoted_json(relation == nullptr ? "" : relation->name));
  name_with_schema_ = add(quoted_json(relation == nullptr ? connector : connector + "_" + schema));
  if (relation == nullptr) return;
  const std::vector<std::string> names = printed_names(*relation, options.envelope);
  for (std::size_t i = 0; i < names.size(); ++i) add_column(relation->columns[i], names[i], options);
  for (const std::size_t position : relation->key) {
    if (columns_[position].form != ValueForm::kOmitted) key_.push_back(position);
  }
}

void RelationFragments::add_column(const Column& column, const std::string& name, const SerializerOptions& options) {
  const Slice text = add(fmt::format(",{}:", quoted_json(name)));
  ValueForm form = value_form(column, options.values);
  if (column.rule.action == ColumnRule::Action::kOmit) {
    form = ValueForm::kOmitted;
  } else if (column.rule.action != ColumnRule::Action::kPrint) {
    // Half a number is no number: what a rule has touched is a string.
    form = ValueForm::kRuled;
  }
  columns_.push_back(
      {static_cast<std::uint32_t>(text.offset), static_cast<std::uint32_t>(text.size), form, column.is_key});
  if (column.not_null && form != ValueForm::kOmitted) required_.push_back(plans_.size());
  plans_.emplace_back(column, options);
  types_.push_back(column.type);
}

void RelationFragments::learn(const std::vector<LineWriter::StrangeLabel>& labels, const SerializerOptions& options) {
  for (std::size_t i = 0; i < types_.size(); ++i) {
    auto type = types_[i];
    for (const auto& [type_oid, label] : labels) type = with_label(type, type_oid, label);
    if (type == types_[i]) continue;
    Column column = relation_->columns[i];
    column.type = types_[i] = std::move(type);
    plans_[i] = ValuePlan(column, options);
  }
  forget_schemas();
}

void RelationFragments::learn_null(std::size_t position) {
  std::erase(required_, position);
  forget_schemas();
}

void RelationFragments::forget_schemas() {
  value_schema_.reset();
  key_schema_.reset();
}

std::string RelationFragments::schema_of(const ColumnFragment& fragment, bool may_be_missing) const {
  const Column& described = column(fragment);
  const bool optional =
      may_be_missing || std::find(required_.begin(), required_.end(), position(fragment)) == required_.end();
  if (fragment.form == ValueForm::kPlanned) return plan(fragment).schema(described.name, optional);
  // A number may also be NaN, which is a string; that no schema can say.
  const char* type = fragment.form == ValueForm::kBoolean  ? "boolean"
                     : fragment.form == ValueForm::kNumber ? number_schema(described)
                                                           : "string";
  return fmt::format(R"({{"type":"{}","optional":{},"field":{}}})", type, optional, quoted_json(described.name));
}

RelationFragments::Slice RelationFragments::add(std::string_view text) {
  const Slice added{bytes_.size(), text.size()};
  bytes_.append(text);
  return added;
}

RelationFragments& FragmentCache::find(const Relation* relation, const Batch& batch) {
  if (relation == nullptr) {
    auto& fragments = of_lane_[batch.lane];
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

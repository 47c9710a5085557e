#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "walcat/model/type.h"
#include "walcat/postgres/answer.h"

namespace walcat {

/// Types that are not built in, and what they are made of, as the catalog tells of them level by level.
///
/// Errors: kProtocolError for types within one another without end, which a catalog has not.
class KnownTypes {
 public:
  /// OID, schema, name, typtype, base type's OID and modifier, element type's OID, and what stands between elements.
  using Rows =
      TypedRows<std::uint32_t, std::string, std::string, char, std::uint32_t, std::int32_t, std::uint32_t, char>;

  explicit KnownTypes(const std::vector<std::uint32_t>& oids);

  /// Of which the catalog is to be asked next; empty: all is known.
  const std::set<std::uint32_t>& wanted() const { return wanted_; }
  /// What it says of those. Types that are gone have no row.
  Status add(std::vector<Rows::Row>& rows);

  std::vector<std::uint32_t> enums() const;
  void add_label(std::uint32_t oid, std::string label);

  /// The description, what the type is made of joined to it; null for built-in and vanished types.
  Result<std::shared_ptr<const Type>> joined(std::uint32_t oid) const { return joined(oid, 0); }

 private:
  void want(std::uint32_t oid);
  Result<std::shared_ptr<const Type>> joined(std::uint32_t oid, int within) const;

  std::set<std::uint32_t> wanted_;
  std::map<std::uint32_t, Type> types_;
  int levels_ = 0;
};

}  // namespace walcat

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "walcat/base/status.h"
#include "walcat/model/type.h"
#include "walcat/postgres/connection.h"

namespace walcat {

/// Asks the catalog what the stream leaves out about a relation: descriptions of its types that are not built in,
/// NOT NULL, and the key.
///
/// The catalog answers as of now, the stream speaks of the past: what has been dropped meanwhile stays undescribed.
/// `type_oids` are those of the relation's columns as the stream gave them, in order.
Result<std::shared_ptr<const RelationNote>> describe_relation(Connection& connection, std::uint32_t relation_oid,
                                                              const std::vector<std::uint32_t>& type_oids);

/// The columns that tables have now, each as the table's OID and its number in there (pg_attribute.attnum); all with
/// one question.
Result<std::set<std::pair<std::uint32_t, std::int16_t>>> columns_of(Connection& connection,
                                                                    const std::vector<std::uint32_t>& tables);

/// Names of the columns of each table's key, in the key's order, by the OIDs of those of the tables that have one; all
/// with one question.
Result<std::map<std::uint32_t, std::vector<std::string>>> keys_of(Connection& connection,
                                                                  const std::vector<std::uint32_t>& relation_oids);

}  // namespace walcat

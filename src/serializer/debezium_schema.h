#pragma once

#include <string>

#include "relation_fragments.h"
#include "walcat/serializer/options.h"

namespace walcat {

/// The Kafka Connect schemas that `debezium-schema` prints beside each payload, as Debezium's JSON converter does.

/// Of a row's change.
std::string row_schema(const SerializerOptions& options, const RelationFragments& fragments);
/// Of a logical message.
std::string message_schema(const SerializerOptions& options);
/// Of the border of a transaction.
std::string transaction_schema(const SerializerOptions& options);
/// Of the keys that stand beside these two.
std::string message_key_schema();
std::string transaction_key_schema();
/// Of a record's key; `null` for tables without one.
std::string key_schema(const SerializerOptions& options, const RelationFragments& fragments);

}  // namespace walcat

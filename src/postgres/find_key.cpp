#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "table_keys.h"
#include "walcat/postgres/key_order.h"

namespace walcat {

namespace {

// Domains down to what they are made of.
constexpr const char* kBaseType =
    "(WITH RECURSIVE made (oid, kind, base) AS (SELECT t.oid, t.typtype, t.typbasetype FROM pg_catalog.pg_type t WHERE "
    "t.oid = a.atttypid UNION ALL SELECT t.oid, t.typtype, t.typbasetype FROM made m JOIN pg_catalog.pg_type t ON "
    "m.kind = 'd' AND t.oid = m.base) SELECT t.oid, t.typtype, t.typcategory FROM made m JOIN pg_catalog.pg_type t ON "
    "t.oid = m.oid WHERE m.kind <> 'd')";

// The index's own, if it is a btree (403); else that by which the type is sorted: a primary key WITHOUT OVERLAPS is a
// GiST index.
constexpr const char* kOperatorClass =
    "(SELECT c.opcfamily, c.opcintype FROM pg_catalog.pg_opclass c WHERE c.opcmethod = 403 AND CASE x.relam WHEN 403 "
    "THEN c.oid = k.opclass ELSE c.opcdefault AND (c.opcintype = b.oid OR c.opcintype = CASE WHEN b.typtype = 'r' THEN "
    "'pg_catalog.anyrange' WHEN b.typtype = 'm' THEN 'pg_catalog.anymultirange' WHEN b.typtype = 'e' THEN "
    "'pg_catalog.anyenum' WHEN b.typtype = 'c' THEN 'pg_catalog.record' WHEN b.typcategory = 'A' THEN "
    "'pg_catalog.anyarray' END::pg_catalog.regtype OR EXISTS (SELECT 1 FROM pg_catalog.pg_cast p WHERE p.castsource = "
    "b.oid AND p.casttarget = c.opcintype AND p.castmethod = 'b' AND p.castcontext = 'i')) END ORDER BY c.opcintype = "
    "b.oid DESC LIMIT 1)";

// As SQL names them under any search_path.
constexpr const char* kOperators =
    "(SELECT pg_catalog.max(o.name) FILTER (WHERE o.strategy = 1) AS less, pg_catalog.max(o.name) FILTER (WHERE "
    "o.strategy = 2) AS at_most, pg_catalog.max(o.name) FILTER (WHERE o.strategy = 3) AS equal, pg_catalog.max(o.name) "
    "FILTER (WHERE o.strategy = 5) AS greater FROM (SELECT m.amopstrategy AS strategy, pg_catalog.concat('OPERATOR(', "
    "pg_catalog.quote_ident(n.nspname), '.', p.oprname, ')') AS name FROM pg_catalog.pg_amop m JOIN "
    "pg_catalog.pg_operator p ON p.oid = m.amopopr JOIN pg_catalog.pg_namespace n ON n.oid = p.oprnamespace WHERE "
    "m.amopfamily = f.opcfamily AND m.amoplefttype = f.opcintype AND m.amoprighttype = f.opcintype) o)";

// Whether a domain stands within a type: in the rows, arrays and ranges that it is made of.
constexpr const char* kHoldsDomain =
    "(SELECT pg_catalog.bool_or(t.typtype = 'd') FROM (WITH RECURSIVE part (oid) AS (SELECT b.oid UNION SELECT m.oid "
    "FROM "
    "part p JOIN pg_catalog.pg_type t ON t.oid = p.oid CROSS JOIN LATERAL (SELECT t.typelem UNION ALL SELECT "
    "c.atttypid FROM pg_catalog.pg_attribute c WHERE t.typrelid <> 0 AND c.attrelid = t.typrelid AND c.attnum > 0 AND "
    "NOT c.attisdropped UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE t.oid = r.rngtypid OR t.oid = "
    "{multirange} UNION ALL SELECT t.typbasetype) m (oid)) SELECT p.oid FROM part p) p JOIN pg_catalog.pg_type t ON "
    "t.oid = p.oid)";

// OFFSET 0: the index is looked for once a table, and not compared with every one that there is.
std::string key_query(const std::vector<std::uint32_t>& tables, int server_version) {
  return fmt::format(
      "SELECT i.indrelid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), pg_catalog.concat("
      "pg_catalog.quote_ident(vn.nspname), '.', pg_catalog.quote_ident(v.typname)), v.oid <> a.atttypid, "
      "pg_catalog.concat(pg_catalog.quote_ident(cn.nspname), '.', pg_catalog.quote_ident(l.collname)), l.oid IS NOT "
      "NULL, o.less, o.at_most, o.equal, o.greater, {holds_domain} FROM (SELECT {index} AS index FROM "
      "pg_catalog.pg_class c WHERE c.oid IN ({tables}) OFFSET 0) w JOIN pg_catalog.pg_index i ON i.indexrelid = "
      "w.index JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid "
      "CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(i.indkey::pg_catalog.int2[]), pg_catalog.unnest("
      "i.indclass::pg_catalog.oid[]), pg_catalog.unnest(i.indcollation::pg_catalog.oid[])) WITH ORDINALITY AS "
      "k(attnum, "
      "opclass, collated, place) JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
      "CROSS JOIN LATERAL {base_type} b LEFT JOIN LATERAL {operator_class} f ON true LEFT JOIN LATERAL {operators} o "
      "ON "
      "true LEFT JOIN pg_catalog.pg_type c ON c.oid = f.opcintype LEFT JOIN pg_catalog.pg_type v ON v.oid = CASE "
      "c.typtype WHEN 'p' THEN b.oid ELSE c.oid END LEFT JOIN pg_catalog.pg_namespace vn ON vn.oid = v.typnamespace "
      "LEFT "
      "JOIN pg_catalog.pg_collation l ON l.oid = k.collated LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = "
      "l.collnamespace WHERE k.place <= {size} ORDER BY i.indrelid, k.place",
      fmt::arg("holds_domain",
               fmt::format(kHoldsDomain, fmt::arg("multirange", server_version >= 140000 ? "r.rngmultitypid" : "0"))),
      fmt::arg("base_type", kBaseType), fmt::arg("operator_class", kOperatorClass), fmt::arg("operators", kOperators),
      fmt::arg("size", key_size("i", server_version)),
      fmt::arg("index", key_index("c.oid", KeyHolds::kAtCommit, server_version)),
      fmt::arg("tables", fmt::join(tables, ", ")));
}

using KeyRows = TypedRows<std::uint32_t,               // table
                          std::string,                 // name
                          std::string,                 // type
                          std::string,                 // compared_as
                          std::optional<bool>,         // needs_cast
                          std::string,                 // collation
                          bool,                        // has_collation
                          std::optional<std::string>,  // less
                          std::optional<std::string>,  // at_most
                          std::optional<std::string>,  // equal
                          std::optional<std::string>,  // greater
                          std::optional<bool>          // holds_domain
                          >;

Result<KeyColumn> read_column(KeyRows::Row& row) {
  auto& [table, name, type, compared_as, needs_cast, collation, has_collation, less, at_most, equal, greater,
         holds_domain] = row;
  if (!less || !at_most || !equal || !greater) {
    return Status(StatusCode::kRefused, fmt::format("column {} of its key, of type {}, has no order; hint: CREATE "
                                                    "OPERATOR CLASS .. USING btree",
                                                    name, type));
  }
  // A bound is read as a value of the type, and there is no such type without the domain.
  if (holds_domain.value_or(false)) {
    return Status(StatusCode::kRefused,
                  fmt::format("column {} of its key, of type {}, has a domain within, whose CHECK would be run by "
                              "walcat's role; hint: REPLICA IDENTITY USING INDEX with another unique index",
                              name, type));
  }
  KeyColumn column;
  column.name = std::move(name);
  column.type = std::move(type);
  column.compared_as = std::move(compared_as);
  column.needs_cast = needs_cast.value_or(false);
  if (has_collation) column.collation = std::move(collation);
  column.less = *std::move(less);
  column.at_most = *std::move(at_most);
  column.equal = *std::move(equal);
  column.greater = *std::move(greater);
  return column;
}

// Whatever of the catalog says that a publication publishes a table, and how: its own row, and those of the table, of
// the tables above it and of their schemas. A transaction that changes one of them leaves another row.
constexpr const char* kHowPublished =
    "(WITH RECURSIVE up (oid, edge) AS (SELECT {part}::pg_catalog.oid, NULL::pg_catalog.xid UNION ALL SELECT "
    "i.inhparent, i.xmin FROM up u JOIN pg_catalog.pg_inherits i ON i.inhrelid = u.oid AND NOT i.inhdetachpending JOIN "
    "pg_catalog.pg_class c ON c.oid = i.inhparent AND c.relkind = 'p') SELECT pg_catalog.concat_ws(':', '', p.oid, "
    "p.xmin, (SELECT pg_catalog.string_agg(pg_catalog.concat_ws('.', c.oid, u.edge, c.relnamespace, c.relname{members}"
    "), ',' ORDER BY c.oid) FROM up u JOIN pg_catalog.pg_class c ON c.oid = u.oid)) FROM (SELECT) one LEFT JOIN "
    "pg_catalog.pg_publication p ON p.pubname = {publication})";
constexpr const char* kByItself =
    ", (SELECT pg_catalog.concat_ws('.', 'r', r.oid, r.xmin) FROM pg_catalog.pg_publication_rel r WHERE r.prrelid = "
    "c.oid AND r.prpubid = p.oid)";
constexpr const char* kBySchema =
    ", (SELECT pg_catalog.concat_ws('.', 'n', s.oid, s.xmin) FROM pg_catalog.pg_publication_namespace s WHERE "
    "s.pnnspid = c.relnamespace AND s.pnpubid = p.oid)";

std::string how_published(std::string_view part, const std::string& publication, int server_version) {
  return fmt::format(fmt::runtime(kHowPublished), fmt::arg("part", part), fmt::arg("publication", publication),
                     fmt::arg("members", std::string(kByItself) + (server_version >= 150000 ? kBySchema : "")));
}

}  // namespace

Result<std::map<std::uint32_t, Result<KeyOrder>>> find_keys(Connection& connection,
                                                            const std::vector<std::uint32_t>& tables) {
  std::map<std::uint32_t, Result<KeyOrder>> keys;
  if (tables.empty()) return keys;
  KeyRows answer;
  const Status answered = connection.ask({"keys of tables", key_query(tables, connection.server_version())}, answer);
  if (!answered.is_ok()) return answered;
  auto& rows = answer.rows();
  for (auto row = rows.begin(); row != rows.end();) {
    const std::uint32_t table = std::get<0>(*row);
    std::vector<KeyColumn> columns;
    Status fits;
    for (; row != rows.end() && std::get<0>(*row) == table; ++row) {
      auto column = read_column(*row);
      if (column.is_ok()) {
        columns.push_back(*std::move(column));
      } else if (fits.is_ok()) {
        fits = column.status();
      }
    }
    keys.emplace(table, fits.is_ok() ? Result<KeyOrder>(KeyOrder(std::move(columns))) : Result<KeyOrder>(fits));
  }
  return keys;
}

std::string shape_of(std::string_view part, std::string_view table, const std::string& publication,
                     int server_version) {
  return fmt::format(
      "(SELECT pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws(':', a.attname, a.atttypid, a.atttypmod, "
      "a.attisdropped), ',' ORDER BY a.attnum)) FROM pg_catalog.pg_attribute a WHERE a.attrelid = {0} AND a.attnum > "
      "0) || (SELECT pg_catalog.concat_ws(':', '', n.nspname, c.relname) FROM pg_catalog.pg_class c JOIN "
      "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = {0}) || (SELECT pg_catalog.concat_ws(':', '', "
      "c.relreplident, i.indexrelid, i.indkey, i.indclass, i.indcollation) FROM pg_catalog.pg_class c LEFT JOIN "
      "pg_catalog.pg_index i ON i.indexrelid = {2} WHERE c.oid = {1}) || {3}",
      part, table, key_index(table, KeyHolds::kAtCommit, server_version),
      how_published(part, publication, server_version));
}

}  // namespace walcat

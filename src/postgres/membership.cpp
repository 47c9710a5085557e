#include "walcat/postgres/membership.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "member_rows.h"
#include "table_keys.h"

namespace walcat {

namespace {

constexpr int kVersionWithTruncate = 110000;
constexpr int kVersionWithRoots = 130000;
constexpr int kVersionWithPendingDetach = 140000;
constexpr int kVersionWithSchemas = 150000;
constexpr int kVersionWithGenerated = 180000;

// Each physical table with itself (level 0) and each of its ancestors, and what publishes that one. A row of the
// catalog that CREATE TABLE .. PARTITION OF wrote is at most two commands younger than the table itself; what was
// attached later is three at least. Ages are compared with the table's own: the larger one is older. A table's name was
// given when the row of its type was written. Where there is no publication, tables that were known have left it, and
// are not gone.
constexpr const char* kQuery =
    "WITH RECURSIVE pub AS (SELECT p.oid, p.puballtables, {via_root} AS via_root, pg_catalog.age(p.xmin) AS age, 'o' "
    "|| "
    "p.xmin || '.' || {operations} AS form FROM (SELECT) one LEFT JOIN pg_catalog.pg_publication p ON p.pubname = "
    "{name}), up (leaf, oid, "
    "level, edge, edge_cmin, edge_age) AS "
    "(SELECT "
    "c.oid, c.oid, 0, NULL::xid, NULL::cid, NULL::int FROM pg_catalog.pg_class c WHERE c.relkind = 'r' AND "
    "(c.relpersistence = 'p' OR c.oid = ANY ('{{{known}}}'::oid[])) AND c.oid >= 16384 UNION ALL SELECT u.leaf, "
    "i.inhparent, u.level + 1, i.xmin, i.cmin, "
    "pg_catalog.age(i.xmin) FROM up u JOIN pg_catalog.pg_class c ON c.oid = u.oid AND c.relispartition JOIN "
    "pg_catalog.pg_inherits i ON i.inhrelid = u.oid{attached}), way AS (SELECT u.*, c.relname, c.relnamespace, "
    "c.reltype, "
    "pub.puballtables, pub.form, pub.oid AS pub, pub.via_root, pub.age AS pub_age, r.oid AS rel, "
    "pg_catalog.age(r.xmin) AS "
    "rel_age, {schema} FROM pub CROSS JOIN up u JOIN pg_catalog.pg_class c ON c.oid = u.oid LEFT JOIN "
    "pg_catalog.pg_publication_rel r ON r.prpubid = pub.oid AND r.prrelid = u.oid{schemas}) SELECT w.leaf, w.oid, "
    "n.nspname, w.relname, w.via_root, CASE WHEN w.puballtables THEN 'p' || w.pub END, CASE WHEN w.schema IS NOT NULL "
    "THEN 'n' || w.schema || '.' || d.xmin END, 'r' || w.rel, w.edge, w.pub_age > pg_catalog.age(a.xmin), w.schema_age "
    "> "
    "pg_catalog.age(a.xmin) AND (d.xmin = a.xmin AND d.cmin = a.cmin OR w.level > 0 AND pg_catalog.age(d.xmin) > "
    "pg_catalog.age(a.xmin)), w.rel_age > pg_catalog.age(a.xmin), w.edge_age > pg_catalog.age(a.xmin) OR w.level = 1 "
    "AND "
    "w.edge = a.xmin AND w.edge_cmin::text::int - a.cmin::text::int <= 2, l.relfilenode = l.oid, "
    "pg_catalog.age(t.xmin) "
    "< pg_catalog.age(a.xmin) OR t.xmin = a.xmin AND t.cmin::text::int > a.cmin::text::int, {key} IS NOT NULL, CASE "
    "l.relpersistence WHEN 'p' THEN w.form END FROM way "
    "w JOIN "
    "pg_catalog.pg_class l ON l.oid = w.leaf JOIN pg_catalog.pg_namespace n ON n.oid = w.relnamespace JOIN "
    "pg_catalog.pg_attribute a ON a.attrelid = w.leaf AND a.attnum = -1 JOIN pg_catalog.pg_type t ON t.oid = w.reltype "
    "LEFT JOIN pg_catalog.pg_depend d ON w.schema IS NOT NULL AND d.classid = 'pg_catalog.pg_class'::regclass AND "
    "d.objid = w.oid AND d.objsubid = 0 AND d.refclassid = 'pg_catalog.pg_namespace'::regclass WHERE w.puballtables OR "
    "w.leaf IN (SELECT m.leaf FROM way m WHERE m.rel IS NOT NULL OR m.schema IS NOT NULL) OR w.leaf = ANY "
    "('{{{known}}}'::oid[]) ORDER BY w.leaf, w.level";

// What a publication publishes: `iudt`, and behind a dot what changes of it leave out no change.
std::string operations(int version) {
  std::string text =
      "CASE WHEN p.pubinsert THEN 'i' ELSE '' END || CASE WHEN p.pubupdate THEN 'u' ELSE '' END || CASE WHEN "
      "p.pubdelete "
      "THEN 'd' ELSE '' END";
  if (version >= kVersionWithTruncate) text += " || CASE WHEN p.pubtruncate THEN 't' ELSE '' END";
  text += " || '.' || p.pubowner";
  if (version >= kVersionWithRoots) text += " || CASE WHEN p.pubviaroot THEN 'v' ELSE '' END";
  if (version >= kVersionWithGenerated) text += " || p.pubgencols::text";
  return text;
}

// One whose DETACH CONCURRENTLY is under way, or was cut, is published by its root no more.
const char* only_attached(int version) {
  return version >= kVersionWithPendingDetach ? " AND NOT i.inhdetachpending" : "";
}

}  // namespace

Result<std::vector<MemberTable>> published_members(Connection& connection, const std::string& publication,
                                                   const std::vector<std::uint32_t>& known) {
  const bool has_schemas = connection.server_version() >= kVersionWithSchemas;
  MemberRows answer;
  const std::string sql = fmt::format(
      fmt::runtime(kQuery), fmt::arg("name", connection.literal(publication)),
      fmt::arg("key", key_index("w.oid", KeyHolds::kAtCommit, connection.server_version())),
      fmt::arg("known", fmt::join(known, ",")), fmt::arg("operations", operations(connection.server_version())),
      fmt::arg("attached", only_attached(connection.server_version())),
      fmt::arg("via_root", connection.server_version() >= kVersionWithRoots ? "p.pubviaroot" : "false"),
      fmt::arg("schema", has_schemas ? "s.oid AS schema, pg_catalog.age(s.xmin) AS schema_age"
                                     : "NULL::oid AS schema, NULL::int AS schema_age"),
      fmt::arg("schemas", has_schemas ? " LEFT JOIN pg_catalog.pg_publication_namespace s ON s.pnpubid = pub.oid AND "
                                        "s.pnnspid = c.relnamespace"
                                      : ""));
  const std::string subject = "tables of publication " + publication;
  if (const Status fits = connection.ask({subject, sql}, answer); !fits.is_ok()) return fits;
  auto members = read_members(answer.rows());
  return members.is_ok() ? members : members.status().with_context(subject);
}

Result<Lsn> end_of_log(Connection& connection) {
  const auto position = connection.query_value<std::optional<Lsn>>(
      {"the end of the log",
       "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE "
       "pg_catalog.pg_current_wal_flush_lsn() END"});
  if (!position.is_ok()) return position.status();
  return position->value_or(Lsn{});
}

Result<std::vector<NamedTable>> lineage_of(Connection& connection, std::uint32_t oid) {
  auto rows = connection.query<std::uint32_t, std::string, std::string>(
      {fmt::format("tables above the one with OID {}", oid),
       fmt::format(
           "WITH RECURSIVE up (oid, level) AS (SELECT c.oid, 0 FROM pg_catalog.pg_class c WHERE c.oid = {} UNION ALL "
           "SELECT i.inhparent, u.level + 1 FROM up u JOIN pg_catalog.pg_class c ON c.oid = u.oid AND c.relispartition "
           "JOIN pg_catalog.pg_inherits i ON i.inhrelid = u.oid{}) SELECT c.oid, n.nspname, c.relname FROM up u JOIN "
           "pg_catalog.pg_class c ON c.oid = u.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ORDER BY "
           "u.level",
           oid, only_attached(connection.server_version()))});
  if (!rows.is_ok()) return rows.status();
  std::vector<NamedTable> lineage;
  for (auto& [table, schema, name] : *rows) lineage.push_back({table, {std::move(schema), std::move(name)}});
  return lineage;
}

}  // namespace walcat

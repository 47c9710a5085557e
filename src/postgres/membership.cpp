#include "walcat/postgres/membership.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

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

std::uint32_t oid_of(const std::optional<std::string>& text) {
  std::uint32_t oid = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), oid);
  return oid;
}

bool is_true(const std::optional<std::string>& text) { return text == "t"; }

// A physical table, from its own row up.
class MemberReader {
 public:
  // The rows of one table, from level 0 up; returns where the next one's begin.
  std::size_t read(const Rows& rows, std::size_t from) {
    const auto leaf = rows[from][0];
    std::size_t at = from;
    for (; at < rows.size() && rows[at][0] == leaf; ++at) climb(rows[at]);
    member_.was_attached = !steps_are_whole_;
    // Of a table that is not permanent nothing is published.
    if (ways_.empty() || !rows[from][16]) return at;
    member_.membership = *rows[from][16];
    for (const std::string& way : ways_) member_.membership += " " + way + as_;
    return at;
  }

  MemberTable take() { return std::move(member_); }

 private:
  void climb(const Row& row) {
    const NamedTable table{oid_of(row[1]), {row[2].value_or(""), row[3].value_or("")}};
    const bool is_leaf = oid_of(row[0]) == table.oid;
    if (is_leaf) {
      member_.table = member_.as = table;
      has_first_file_ = is_true(row[13]);
      member_.has_key = is_true(row[15]);
    } else {
      member_.ancestors.push_back(table);
      steps_ = "/" + row[8].value_or("") + steps_;
      steps_are_whole_ = steps_are_whole_ && is_true(row[12]);
    }
    member_.was_renamed = member_.was_renamed || is_true(row[14]);
    for (const std::size_t way : {5, 6, 7}) {
      if (row[way]) add(row, *row[way], is_true(row[way + 4]), table, is_leaf);
    }
  }

  void add(const Row& row, const std::string& way, bool is_older, const NamedTable& table, bool is_leaf) {
    // A publication of all tables publishes each by itself, whatever it is attached to.
    if (is_leaf || way.front() != 'p') {
      ways_.push_back(way + steps_);
      member_.is_whole = member_.is_whole || (is_older && has_first_file_ && steps_are_whole_);
    }
    if (is_leaf || !is_true(row[4])) return;
    member_.as = table;
    member_.has_key = is_true(row[15]);
    as_ = "@" + row[1].value_or("");
  }

  MemberTable member_;
  std::vector<std::string> ways_;
  std::string steps_;
  std::string as_;
  bool steps_are_whole_ = true;
  bool has_first_file_ = false;
};

}  // namespace

Result<std::vector<MemberTable>> published_members(Connection& connection, const std::string& publication,
                                                   const std::vector<std::uint32_t>& known) {
  const bool has_schemas = connection.server_version() >= kVersionWithSchemas;
  const auto rows = connection.query(fmt::format(
      fmt::runtime(kQuery), fmt::arg("name", connection.literal(publication)),
      fmt::arg("key", key_index("w.oid", KeyHolds::kAtCommit, connection.server_version())),
      fmt::arg("known", fmt::join(known, ",")), fmt::arg("operations", operations(connection.server_version())),
      fmt::arg("attached", only_attached(connection.server_version())),
      fmt::arg("via_root", connection.server_version() >= kVersionWithRoots ? "p.pubviaroot" : "false"),
      fmt::arg("schema", has_schemas ? "s.oid AS schema, pg_catalog.age(s.xmin) AS schema_age"
                                     : "NULL::oid AS schema, NULL::int AS schema_age"),
      fmt::arg("schemas", has_schemas ? " LEFT JOIN pg_catalog.pg_publication_namespace s ON s.pnpubid = pub.oid AND "
                                        "s.pnnspid = c.relnamespace"
                                      : "")));
  if (!rows.is_ok()) return rows.status();
  std::vector<MemberTable> members;
  for (std::size_t at = 0; at < rows->size();) {
    MemberReader reader;
    at = reader.read(*rows, at);
    members.push_back(reader.take());
  }
  return members;
}

Result<Lsn> end_of_log(Connection& connection) {
  const auto rows = connection.query(
      "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE "
      "pg_catalog.pg_current_wal_flush_lsn() END");
  if (!rows.is_ok()) return rows.status();
  return Lsn::parse(rows->front().front().value_or("")).value_or(Lsn{});
}

Result<std::vector<NamedTable>> lineage_of(Connection& connection, std::uint32_t oid) {
  const auto rows = connection.query(fmt::format(
      "WITH RECURSIVE up (oid, level) AS (SELECT c.oid, 0 FROM pg_catalog.pg_class c WHERE c.oid = {} UNION ALL SELECT "
      "i.inhparent, u.level + 1 FROM up u JOIN pg_catalog.pg_class c ON c.oid = u.oid AND c.relispartition JOIN "
      "pg_catalog.pg_inherits i ON i.inhrelid = u.oid{}) SELECT c.oid, n.nspname, c.relname FROM up u JOIN "
      "pg_catalog.pg_class c ON c.oid = u.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ORDER BY "
      "u.level",
      oid, only_attached(connection.server_version())));
  if (!rows.is_ok()) return rows.status();
  std::vector<NamedTable> lineage;
  for (const Row& row : *rows) lineage.push_back({oid_of(row[0]), {row[1].value_or(""), row[2].value_or("")}});
  return lineage;
}

}  // namespace walcat

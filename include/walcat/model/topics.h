#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "walcat/base/status.h"

namespace walcat {

/// How the topic of a record is named (`output.topic`): text, and {connector}, {database}, {schema}, {table}, {op}.
///
/// Threads: immutable; thread-safe.
/// Source: Kafka, org.apache.kafka.common.internals.Topic, on legal names.
class TopicTemplate {
 public:
  struct Table {
    std::string_view database;
    std::string_view schema;
    std::string_view table;
  };

  TopicTemplate(const std::string& text, const std::string& connector);

  /// The topic of a table's record; `operation`: its letter. What Kafka does not allow in a name is an underscore.
  std::string topic(const Table& table, char operation) const;
  /// What the template tells tables apart by: different for tables whose topics are meant to be different ones.
  std::string identity(const Table& table) const;
  /// Whether tables are to have topics of their own, and so are those of each database.
  bool has_table() const { return has(Piece::Kind::kTable); }
  bool has_database() const { return has(Piece::Kind::kDatabase); }

 private:
  struct Piece {
    enum class Kind { kText, kDatabase, kSchema, kTable, kOperation };
    Kind kind;
    std::string text;
  };
  bool has(Piece::Kind kind) const;

  std::vector<Piece> pieces_;
};

/// `name` as Kafka allows it: letters, digits, dots, underscores and hyphens; any other byte is an underscore.
std::string legal_topic(std::string name);

/// The topics of a run and whose they are, over all of its databases.
///
/// Threads: thread-safe.
class Topics {
 public:
  /// `taken`: topics that belong to no table, each with what it is for.
  Topics(const std::string& text, const std::string& connector, const std::map<std::string, std::string>& taken);

  /// Enters a table. `label`: how logs name its database.
  ///
  /// Errors: kRefused where its topic is another table's though the template tells them apart (two tables in one
  ///     compacted topic overwrite each other), or is none that Kafka takes. The first table keeps the topic.
  Status enter(std::string_view label, const TopicTemplate::Table& table);

  /// What goes well but may surprise, once: tables of several databases that share a topic because the template does
  /// not name the database, and topics that Kafka's metrics do not tell apart. Empty if there is nothing new.
  std::string take_surprises();

 private:
  struct Owner {
    std::string identity;
    std::string label;
    std::string name;
  };
  void note(std::string surprise);

  const TopicTemplate template_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::map<std::string, Owner> owners_;
  /// Topics by their names with underscores in place of dots.
  std::map<std::string, std::string> in_metrics_;
  std::vector<std::string> surprises_;
  std::set<std::string> told_;
};

}  // namespace walcat

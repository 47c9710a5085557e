#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/frames.h"

namespace walcat::test {

/// A server's log and what a walsender makes of it: every text is a log that a server could have, and every connection
/// to it a stream that a server could send.
///
/// One byte each: `(` begins a transaction, `)` commits it; `a` `b` `c` choose the table of what follows; `i` `u` `k`
/// `o` `d` insert, update, update with the old key, update with the old row, delete; `t` truncates two tables; `r`
/// alters the table; `m` is a logical message, `s` one for incremental snapshots; `g` an origin; `p` a keepalive, `q`
/// one that asks for a reply; `'text'` is the text of the changes that follow, a digit their key; `!` loses the
/// connection, and the digit behind it tells how many transactions the server sends again. Anything else says nothing.
class StreamLog {
 public:
  explicit StreamLog(std::string_view text) {
    while (!text.empty()) {
      const char letter = text.front();
      text.remove_prefix(1);
      letter == '\'' ? read_text(text) : letter == '!' ? lose_connection(text) : read(letter);
    }
    close();
  }

  /// The frames of each connection, in turn.
  std::vector<std::vector<std::string>> connections() const {
    std::vector<std::vector<std::string>> all;
    std::size_t from = 0;
    for (const Cut& cut : cuts_) {
      all.push_back(frames(from, cut.entry, cut.events));
      from = cut.entry - std::min(cut.entry, cut.again);
    }
    all.push_back(frames(from, entries_.size(), 0));
    return all;
  }
  /// The frames of a connection that is never lost.
  std::vector<std::string> whole() const { return frames(0, entries_.size(), 0); }

 private:
  static constexpr std::uint64_t kStep = 16;
  static constexpr unsigned kTables = 3;
  static constexpr std::size_t kCutsMost = 8;
  static constexpr std::size_t kTextMost = 300;

  struct Version {
    unsigned table = 0;
    unsigned number = 0;
    auto operator<=>(const Version&) const = default;
  };
  /// A message of a transaction, and the tables that must be described before it.
  struct Event {
    std::string frame;
    std::vector<Version> tables;
  };
  /// A transaction, or what stands between two.
  struct Entry {
    bool is_transaction = false;
    std::uint64_t commit_lsn = 0;
    std::uint64_t end_lsn = 0;
    std::uint32_t xid = 0;
    std::vector<Event> events;
  };
  struct Cut {
    std::size_t entry = 0;
    std::size_t events = 0;
    std::size_t again = 0;
  };

  // The log's side.

  void read(char letter) {
    if (letter >= '0' && letter <= '9') key_ = letter;
    if (letter >= 'a' && letter < static_cast<char>('a' + kTables)) table_ = static_cast<unsigned>(letter - 'a');
    switch (letter) {
      case '(': open(); break;
      case ')': close(); break;
      case 'i': return change(insert(oid(), row(key_)));
      case 'u': return change(update(oid(), row(key_, true)));
      case 'k': return change(update(oid(), 'K', key('x'), row(key_)));
      case 'o': return change(update(oid(), 'O', row(key_), row(key_, true)));
      case 'd': return change(table_ == 0 ? remove(oid(), 'O', row(key_)) : remove(oid(), 'K', key(key_)));
      case 't': return truncate_two();
      case 'r': ++versions_[table_]; break;
      case 'm': return message("prefix", text_);
      case 's': return message("walcat.snapshot", "{}");
      case 'g':
        if (is_open_ && entries_.back().events.empty()) add({at(lsn_, origin(lsn_, "upstream")), {}});
        break;
      case 'p':
      case 'q': add({keepalive(lsn_, letter == 'q'), {}}); break;
      default: break;
    }
  }

  void read_text(std::string_view& text) {
    const auto end = std::min(text.find('\''), text.size());
    text_ = text.substr(0, std::min(end, kTextMost));
    text.remove_prefix(std::min(text.size(), end + 1));
  }

  void lose_connection(std::string_view& text) {
    std::size_t again = 0;
    if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      again = static_cast<std::size_t>(text.front() - '0');
      text.remove_prefix(1);
    }
    if (cuts_.size() == kCutsMost) return;
    const std::size_t closed = entries_.size() - (is_open_ ? 1 : 0);
    cuts_.push_back({closed, is_open_ ? entries_.back().events.size() + 1 : 0, again});
  }

  void open() {
    close();
    entries_.push_back({true, 0, 0, ++xid_, {}});
    is_open_ = true;
  }
  // A commit record may begin where the record before it ends.
  void close() {
    if (!is_open_) return;
    entries_.back().commit_lsn = lsn_;
    entries_.back().end_lsn = lsn_ += kStep;
    is_open_ = false;
  }
  void add(Event event) {
    if (!is_open_) entries_.push_back({});
    entries_.back().events.push_back(std::move(event));
  }

  void change(const std::string& message) {
    if (!is_open_) open();
    add({at(lsn_, message), {{table_, versions_[table_]}}});
    lsn_ += kStep;
  }
  void truncate_two() {
    if (!is_open_) open();
    const unsigned other = (table_ + 1) % kTables;
    const std::string message = truncate({oid(), kOid + other});
    add({at(lsn_, message), {{table_, versions_[table_]}, {other, versions_[other]}}});
    lsn_ += kStep;
  }
  // Outside transactions its LSN is where its record ends.
  void message(std::string_view prefix, std::string_view content) {
    lsn_ += kStep;
    add({at(lsn_, logical_message(is_open_, lsn_, prefix, content)), {}});
  }

  std::uint32_t oid() const { return kOid + table_; }
  std::size_t columns() const { return 4 + versions_[table_] % 2; }

  Tuple row(char key, bool is_toast_unchanged = false) const {
    Tuple values{std::string(1, key), is_toast_unchanged ? kUnchangedValue : Value(text_), "t", "1.50"};
    if (columns() > values.size()) values.push_back(kNullValue);
    return values;
  }
  Tuple key(char key) const {
    Tuple values(columns(), kNullValue);
    values.front() = Value(std::string(1, key == 'x' ? '7' : key));
    return values;
  }

  // The walsender's side.

  std::vector<std::string> frames(std::size_t from, std::size_t to, std::size_t events_of_last) const {
    std::vector<std::string> all;
    std::set<Version> described;
    for (std::size_t i = from; i < to; ++i) send(all, described, entries_[i], entries_[i].events.size() + 1);
    if (events_of_last > 0) send(all, described, entries_[to], events_of_last - 1);
    return all;
  }

  // The first `count` events of an entry; its commit as well if there are not so many.
  static void send(std::vector<std::string>& all, std::set<Version>& described, const Entry& entry, std::size_t count) {
    if (entry.is_transaction) all.push_back(at(0, begin(entry.commit_lsn, entry.xid)));
    for (std::size_t i = 0; i < std::min(count, entry.events.size()); ++i) {
      for (const Version& version : entry.events[i].tables) describe(all, described, version);
      all.push_back(entry.events[i].frame);
    }
    if (entry.is_transaction && count > entry.events.size()) {
      all.push_back(at(entry.commit_lsn, commit(entry.commit_lsn, entry.end_lsn)));
    }
  }

  static void describe(std::vector<std::string>& all, std::set<Version>& described, const Version& version) {
    if (described.contains(version)) return;
    std::erase_if(described, [&](const Version& other) { return other.table == version.table; });
    described.insert(version);
    const char identity = version.table == 0 ? 'f' : 'd';
    const bool has_key = version.table != 2;
    TableSpec table{kOid + version.table,
                    "public",
                    std::string(1, static_cast<char>('a' + version.table)),
                    identity,
                    {{"id", kInt4, has_key}, {"v"}, {"b", kBool}, {"n", kUserType}}};
    if (version.number % 2 == 1) table.columns.push_back({"added", kFloat8});
    all.push_back(at(0, type(kUserType, "", "numeric")));
    all.push_back(at(0, relation(table)));
  }

  static constexpr std::uint32_t kOid = 16384;
  static constexpr std::uint32_t kUserType = 20'000;

  std::vector<Entry> entries_;
  std::vector<Cut> cuts_;
  bool is_open_ = false;
  std::uint64_t lsn_ = 1000;
  std::uint32_t xid_ = 700;
  unsigned table_ = 0;
  unsigned versions_[kTables] = {};
  char key_ = '1';
  std::string text_ = "one";
};

}  // namespace walcat::test

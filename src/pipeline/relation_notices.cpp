#include "relation_notices.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "walcat/serializer/printed_names.h"

namespace walcat {

namespace {

class Notices {
 public:
  Notices(Envelope envelope, log::Logger logger, std::shared_ptr<Topics> topics)
      : envelope_(envelope), logger_(std::move(logger)), topics_(std::move(topics)) {}

  void look(const Relation& relation, const std::string& database) {
    if (!relation.is_wanted) return;
    look_at_names(relation);
    if (topics_ != nullptr) look_at_topic(relation, database);
  }

 private:
  void look_at_names(const Relation& relation) {
    const std::vector<std::string> names = printed_names(relation, envelope_);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string& own = relation.columns[i].name;
      if (names[i] == own) continue;
      tell(log::Level::kWarning,
           fmt::format("relation {}.{}: column {} is printed as {}, because the row envelope has a "
                       "{} of its own; hint: output.envelope: message keeps names apart",
                       relation.schema, relation.name, own, names[i], own));
    }
  }

  void look_at_topic(const Relation& relation, const std::string& database) {
    const Status entered = topics_->enter(logger_.database(), {database, relation.schema, relation.name});
    if (!entered.is_ok()) tell(log::Level::kError, entered.message());
    if (const std::string surprises = topics_->take_surprises(); !surprises.empty()) {
      tell(log::Level::kWarning, "topics: " + surprises);
    }
  }

  // Each session describes its relations anew.
  void tell(log::Level level, const std::string& notice) {
    if (!told_.insert(notice).second) return;
    level == log::Level::kError ? logger_.error("{}", notice) : logger_.warning("{}", notice);
  }

  const Envelope envelope_;
  const log::Logger logger_;
  const std::shared_ptr<Topics> topics_;
  std::set<std::string> told_;
};

}  // namespace

std::shared_ptr<Topics> topics_of(const SerializerOptions& lines) {
  if (lines.framing != Framing::kTopicKeyValue) return nullptr;
  std::map<std::string, std::string> taken;
  if (std::find(lines.skip.begin(), lines.skip.end(), Operation::kMessage) == lines.skip.end()) {
    taken[message_topic(lines)] = "logical messages";
  }
  if (lines.transactions) taken[transaction_topic(lines)] = "transactions";
  return std::make_shared<Topics>(lines.topic, lines.connector_name, taken);
}

std::function<void(const Relation&, const std::string& database)> relation_notices(const SerializerOptions& lines,
                                                                                   const log::Logger& logger,
                                                                                   std::shared_ptr<Topics> topics) {
  if (lines.envelope != Envelope::kRow && topics == nullptr) return {};
  return [notices = std::make_shared<Notices>(lines.envelope, logger, std::move(topics))](
             const Relation& relation, const std::string& database) { notices->look(relation, database); };
}

}  // namespace walcat

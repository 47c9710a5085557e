#include "lane_options.h"

#include "walcat/base/descriptor_limit.h"
#include "walcat/base/log.h"

namespace walcat {

namespace {

// Whether something printed depends on what the catalog says of relations.
bool needs_notes(const SerializerOptions& lines) {
  return lines.values == Values::kDebezium || lines.envelope == Envelope::kDebeziumSchema ||
         lines.key != KeyForm::kNone || lines.key_changes == KeyChanges::kSplit;
}

}  // namespace

DatabaseOptions lane_options(const PipelineOptions& options, std::size_t database) {
  DatabaseOptions lane = options.databases[database];
  lane.spool.files_most = spool_files_most(options.databases.size());
  lane.prints_keys = options.serializer.key != KeyForm::kNone;
  lane.describe_relations = needs_notes(options.serializer) || options.capture.has_value();
  return lane;
}

std::uint32_t skipped_operations(const SerializerOptions& lines) {
  std::uint32_t skipped = 0;
  for (const Operation operation : lines.skip) skipped |= 1U << static_cast<unsigned>(operation);
  return skipped;
}

DecoderOptions decoder_options(const PipelineOptions& options, const DatabaseOptions& database,
                               const std::shared_ptr<const Selection>& selection, bool is_replay) {
  DecoderOptions decoder;
  if (database.on_poison == OnPoison::kDeadLetter) {
    decoder.dead_letters = std::make_shared<DeadLetters>(database.dead_letter_path, log::Logger(database.label));
  }
  decoder.selection = selection;
  decoder.rules = std::make_shared<RuleMemory>(selection, database.on_lost_rule,
                                               options.serializer.key != KeyForm::kNone, log::Logger(database.label));
  // What is replayed has passed one.
  if (!is_replay) decoder.window = std::make_shared<SnapshotWindow>();
  decoder.use_notes = needs_notes(options.serializer);
  decoder.transactions = options.serializer.transactions;
  decoder.split_key_changes = options.serializer.key_changes == KeyChanges::kSplit;
  decoder.refuse_invalid_utf8 = options.serializer.invalid_utf8 == InvalidUtf8::kRefuse;
  decoder.skipped = skipped_operations(options.serializer);
  return decoder;
}

bool tells_times(const SerializerOptions& lines) {
  return lines.envelope == Envelope::kDebezium || lines.envelope == Envelope::kDebeziumSchema;
}

}  // namespace walcat

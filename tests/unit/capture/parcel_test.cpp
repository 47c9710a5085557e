// Parcels in a capture file: what was recorded of a stream comes back, and nothing malformed is handed out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "capture/description.h"
#include "capture/parcels.h"
#include "offsets/temporary_folder.h"

namespace walcat::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Strings = std::vector<std::string>;

std::string bytes_of(const RelationNote& note) {
  std::string bytes;
  put_note(bytes, note);
  return bytes;
}

std::string bytes_of(const SnapshotSource& source) {
  std::string bytes;
  put_snapshot_source(bytes, source);
  return bytes;
}

// An array of domains over an enum.
std::shared_ptr<const Type> nested_type() {
  auto mood = std::make_shared<Type>();
  *mood = {16400, "public", "mood", TypeKind::kEnum, 0, -1, nullptr, 0, nullptr, ',', {"sad", "", "ha\0ppy"}};
  auto domain = std::make_shared<Type>();
  *domain = {16410, "s", "mood_domain", TypeKind::kDomain, 16400, 7, mood, 0, nullptr, ',', {}};
  auto array = std::make_shared<Type>();
  *array = {16420, "s", "_mood_domain", TypeKind::kBase, 0, -1, nullptr, 16410, domain, ';', {}};
  return array;
}

std::shared_ptr<const RelationNote> note_of(std::uint32_t oid) {
  auto note = std::make_shared<RelationNote>();
  note->relation_oid = oid;
  note->columns = {{"id", true}, {"moods", false}};
  note->types[16420] = nested_type();
  note->types[16421] = nullptr;
  note->key = {"id"};
  return note;
}

std::shared_ptr<const SnapshotSource> source_of(const std::string& table) {
  auto source = std::make_shared<SnapshotSource>();
  source->relation.oid = 16500;
  source->relation.schema = "public";
  source->relation.name = table;
  source->relation.identity = ReplicaIdentity::kFull;
  source->relation.columns.resize(2);
  source->relation.columns[0].name = "id";
  source->relation.columns[0].is_key = true;
  source->relation.columns[0].not_null = true;
  source->relation.columns[1].name = "moods";
  source->relation.columns[1].type_oid = 16420;
  source->relation.columns[1].type_modifier = 5;
  source->relation.columns[1].type_schema = "s";
  source->relation.columns[1].type_name = "_mood_domain";
  source->relation.columns[1].type = nested_type();
  source->relation.key = {0, 1};
  source->relation.is_wanted = false;
  source->note = note_of(16500);
  source->point = Lsn{0x1234567890};
  source->began = -77;
  source->first_index = std::uint64_t{1} << 41;
  return source;
}

class Parcels : public testing::Test {
 private:
  TemporaryFolder folder_;

 protected:
  const std::string path_ = folder_ / "out.wcap";

  // A block of its own for each parcel of one frame.
  void write(const Strings& frames) const {
    const auto writer = CaptureWriter::open(path_);
    ASSERT_TRUE(writer.is_ok()) << writer.status().message();
    for (const std::string& frame : frames) {
      (*writer)->append(parcel_of(packed({frame})));
      ASSERT_TRUE((*writer)->sync().is_ok());
    }
  }
  void write(const CapturedParcel& parcel) const {
    const auto writer = CaptureWriter::open(path_);
    ASSERT_TRUE(writer.is_ok()) << writer.status().message();
    (*writer)->append(parcel);
    ASSERT_TRUE((*writer)->sync().is_ok());
  }
  // What ends the reading of a file with one block of `payload`.
  std::string end_of(const std::string& payload) const {
    put_file(path_, file_header(kCaptureVersion) + block_of(payload));
    const Strings all = read_parcels(path_);
    return all.empty() ? "" : all.back();
  }
  // What the writer makes of `parcel`, without the headers.
  std::string payload_of(const CapturedParcel& parcel) const {
    put_file(path_, "");
    write(parcel);
    return file_content(path_).substr(kCaptureFileHeader + kCaptureBlockHeader);
  }
};

TEST_F(Parcels, GiveBackTheFramesOfASession) {
  const Strings frames{"one", "", std::string("\0\n\xFF", 3), std::string(70'000, 'x')};
  const std::string bytes = packed(frames);
  CapturedParcel parcel = parcel_of(bytes);
  parcel.received_at = -5;
  parcel.notes = {note_of(1), note_of(2)};
  write(parcel);
  const auto reader = CaptureReader::open(path_);
  ASSERT_TRUE(reader.is_ok()) << reader.status().message();
  const auto next = (*reader)->next_parcel();
  ASSERT_TRUE(next.is_ok() && *next) << next.status().message();
  const CapturedParcel& read = **next;
  EXPECT_EQ(*read.stream, *parcel.stream);
  EXPECT_EQ(*read.session, *parcel.session);
  EXPECT_EQ(read.received_at, -5);
  EXPECT_FALSE(read.is_context);
  ASSERT_EQ(read.notes.size(), 2U);
  EXPECT_EQ(bytes_of(*read.notes[0]), bytes_of(*parcel.notes[0]));
  EXPECT_EQ(bytes_of(*read.notes[1]), bytes_of(*parcel.notes[1]));
  EXPECT_EQ(read.snapshot, nullptr);
  EXPECT_EQ(read.chunk, 0U);
  EXPECT_EQ(unpacked(read.frames), frames);
  EXPECT_EQ(read.frame_count, frames.size());
  const auto end = (*reader)->next_parcel();
  EXPECT_TRUE(end.is_ok() && !*end);
  EXPECT_FALSE((*reader)->torn_at());
}

TEST_F(Parcels, DescribeTypesInside) {
  const auto note = note_of(16500);
  std::string bytes = bytes_of(*note);
  ByteReader reader(bytes);
  const auto read = read_note(reader);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(reader.remaining(), 0U);
  EXPECT_EQ(read->relation_oid, 16500U);
  EXPECT_EQ(read->columns[0].name, "id");
  EXPECT_TRUE(read->columns[0].not_null);
  EXPECT_FALSE(read->columns[1].not_null);
  EXPECT_EQ(read->key, Strings{"id"});
  EXPECT_EQ(read->types.at(16421), nullptr);
  const Type& array = *read->types.at(16420);
  EXPECT_EQ(array.delimiter, ';');
  EXPECT_EQ(array.element_oid, 16410U);
  EXPECT_EQ(array.element->kind, TypeKind::kDomain);
  EXPECT_EQ(array.element->base_modifier, 7);
  EXPECT_EQ(array.element->base->labels, nested_type()->element->base->labels);
}

TEST_F(Parcels, GiveBackRowsOfASnapshot) {
  const auto source = source_of("moods");
  const std::string rows = packed({"1\t{sad}\n", "2\t\\N\n"});
  {
    const auto writer = CaptureWriter::open(path_);
    ASSERT_TRUE(writer.is_ok());
    CapturedParcel parcel = parcel_of(rows);
    parcel.snapshot = source;
    parcel.first_mark = SnapshotMark::kFirst;
    parcel.last_mark = SnapshotMark::kLastOfTable;
    (*writer)->append(parcel);
    parcel.chunk = 9;
    parcel.chunk_commit_lsn = Lsn{0x99};
    parcel.chunk_commit_time = 999;
    parcel.first_mark = parcel.last_mark = SnapshotMark::kIncremental;
    (*writer)->append(parcel);
    ASSERT_TRUE((*writer)->sync().is_ok());
  }
  const auto reader = CaptureReader::open(path_);
  ASSERT_TRUE(reader.is_ok());
  const auto first = (*reader)->next_parcel();
  ASSERT_TRUE(first.is_ok() && *first) << first.status().message();
  EXPECT_EQ(bytes_of(*(*first)->snapshot), bytes_of(*source));
  EXPECT_EQ((*first)->first_mark, SnapshotMark::kFirst);
  EXPECT_EQ((*first)->last_mark, SnapshotMark::kLastOfTable);
  EXPECT_EQ((*first)->chunk, 0U);
  EXPECT_EQ(unpacked((*first)->frames), unpacked(rows));
  const auto second = (*reader)->next_parcel();
  ASSERT_TRUE(second.is_ok() && *second);
  EXPECT_EQ((*second)->snapshot, (*first)->snapshot) << "the same object";
  EXPECT_EQ((*second)->chunk, 9U);
  EXPECT_EQ((*second)->chunk_commit_lsn, Lsn{0x99});
  EXPECT_EQ((*second)->chunk_commit_time, 999);
}

TEST_F(Parcels, KeepManySourcesApart) {
  constexpr int kTables = 200;
  {
    const auto writer = CaptureWriter::open(path_);
    ASSERT_TRUE(writer.is_ok());
    for (int i = 0; i < 2 * kTables; ++i) {
      CapturedParcel parcel = parcel_of("");
      parcel.snapshot = source_of("table" + std::to_string(i % kTables));
      (*writer)->append(parcel);
      (*writer)->append(parcel);
    }
    ASSERT_TRUE((*writer)->sync().is_ok());
  }
  const auto reader = CaptureReader::open(path_);
  ASSERT_TRUE(reader.is_ok());
  for (int i = 0; i < 4 * kTables; ++i) {
    const auto next = (*reader)->next_parcel();
    ASSERT_TRUE(next.is_ok() && *next) << next.status().message();
    ASSERT_EQ((*next)->snapshot->relation.name, "table" + std::to_string(i / 2 % kTables));
  }
}

TEST_F(Parcels, KeepStreamsAndSessionsApart) {
  const std::string x = packed({"x"});
  {
    const auto writer = CaptureWriter::open(path_);
    ASSERT_TRUE(writer.is_ok());
    for (const auto& [label, session] : std::vector<std::pair<std::string, int>>{
             {"a", 1}, {"b", 1}, {"a", 1}, {"b", 2}, {"a", 1}, {"a", 2}, {"b", 2}}) {
      CapturedParcel parcel = parcel_of(x);
      parcel.stream = stream_of(label);
      parcel.session = session_of(static_cast<std::uint64_t>(session));
      (*writer)->append(parcel);
    }
    ASSERT_TRUE((*writer)->sync().is_ok());
  }
  EXPECT_EQ(read_parcels(path_), (Strings{"a/1: x", "b/1: x", "a/1: x", "b/2: x", "a/1: x", "a/2: x", "b/2: x"}));
}

TEST_F(Parcels, OfAnotherRunAreOfAnotherSession) {
  write({"1"});
  write({"2"});
  const auto reader = CaptureReader::open(path_);
  ASSERT_TRUE(reader.is_ok());
  const auto first = (*reader)->next_parcel();
  ASSERT_TRUE(first.is_ok() && *first);
  const auto second = (*reader)->next_parcel();
  ASSERT_TRUE(second.is_ok() && *second);
  EXPECT_EQ((*first)->stream, (*second)->stream) << "the same object";
  EXPECT_NE((*first)->session, (*second)->session);
  EXPECT_EQ(*(*first)->session, *(*second)->session);
}

TEST_F(Parcels, AreHandedOutFrameByFrameToWhoAsksForFrames) {
  const std::string frames = packed({"one", "", "three"});
  CapturedParcel parcel = parcel_of(frames);
  parcel.received_at = 7;
  {
    const auto writer = CaptureWriter::open(path_);
    ASSERT_TRUE(writer.is_ok());
    (*writer)->append(parcel);
    (*writer)->append({parcel.stream, FrameRole::kDeadLetter, 8, 9, "four"});
    parcel.is_context = true;
    parcel.frames = std::string_view(frames).substr(0, 7);
    (*writer)->append(parcel);
    ASSERT_TRUE((*writer)->sync().is_ok());
  }
  const auto reader = CaptureReader::open(path_);
  ASSERT_TRUE(reader.is_ok());
  Strings all;
  for (;;) {
    const auto next = (*reader)->next();
    ASSERT_TRUE(next.is_ok()) << next.status().message();
    if (!*next) break;
    const CapturedFrame& frame = **next;
    EXPECT_EQ(frame.stream->label, "db1");
    all.push_back(std::to_string(static_cast<int>(frame.role)) + " " + std::to_string(frame.taken_at) + " " +
                  std::string(frame.bytes));
  }
  EXPECT_EQ(all, (Strings{"0 7 one", "0 7 ", "0 7 three", "2 8 four", "1 7 one"}));
}

TEST_F(Parcels, LeaveSingleFramesOutAndCountThem) {
  {
    const auto writer = CaptureWriter::open(path_);
    ASSERT_TRUE(writer.is_ok());
    (*writer)->append({stream_of("db1"), FrameRole::kContext, 0, 0, "context"});
    (*writer)->append(parcel_of(packed({"1"})));
    (*writer)->append({stream_of("db1"), FrameRole::kDeadLetter, 0, 0, "letter"});
    ASSERT_TRUE((*writer)->sync().is_ok());
  }
  EXPECT_EQ(read_parcels(path_), Strings{"db1/1: 1"});
  const auto reader = CaptureReader::open(path_);
  ASSERT_TRUE(reader.is_ok());
  for (auto next = (*reader)->next_parcel(); next.is_ok() && *next;) next = (*reader)->next_parcel();
  EXPECT_EQ((*reader)->frames_left_out(), 2U);
}

TEST_F(Parcels, AreReadUpToTheLastWholeBlockWhereverTheFileIsCut) {
  write({"1"});
  const std::size_t whole = file_content(path_).size();
  write({"2"});
  const std::string both = file_content(path_);
  for (std::size_t size = whole + 1; size < both.size(); ++size) {
    put_file(path_, both.substr(0, size));
    ASSERT_EQ(read_parcels(path_), (Strings{"db1/1: 1", "torn at " + std::to_string(whole)})) << size << " bytes";
    write({"3"});
    ASSERT_EQ(read_parcels(path_), (Strings{"db1/1: 1", "db1/1: 3"})) << size << " bytes";
  }
}

TEST_F(Parcels, AreNeverHandedOutWithAFlippedBit) {
  write({"1"});
  const std::size_t first = file_content(path_).size();
  write({"2"});
  const std::string sound = file_content(path_);
  for (std::size_t at = 0; at < first; ++at) {
    std::string bytes = sound;
    bytes[at] ^= 1;
    put_file(path_, bytes);
    ASSERT_THAT(read_parcels(path_), testing::ElementsAre(HasSubstr(path_))) << "byte " << at;
  }
}

TEST_F(Parcels, WhoseFramesDoNotAddUpAreDamaged) {
  EXPECT_EQ(end_of(payload_of(parcel_of(packed({"one", "two"})))), "db1/1: two");
  for (const std::string& frames : {packed({"one"}) + "x", packed({"one"}).substr(0, 6),
                                    std::string("\xFF\xFF\xFF\xFF", 4), std::string(3, '\0')}) {
    EXPECT_THAT(end_of(payload_of(parcel_of(frames))),
                AllOf(HasSubstr(path_ + ": damaged at byte "), HasSubstr("a frame reaches beyond its parcel")));
  }
}

TEST_F(Parcels, WithRecordsThatMakeNoSenseAreDamaged) {
  const std::string frames = packed({"one"});
  CapturedParcel parcel = parcel_of(frames);
  parcel.snapshot = source_of("moods");
  parcel.notes = {note_of(1)};
  const std::string sound = payload_of(parcel);
  EXPECT_EQ(end_of(sound), "db1/1: one");
  // Whatever byte is another one behind checksums that hold: an error that names the place, or other values.
  for (std::size_t at = 0; at < sound.size(); ++at) {
    std::string payload = sound;
    payload[at] ^= '\x7f';
    ASSERT_THAT(end_of(payload), testing::AnyOf(HasSubstr(path_ + ": damaged at byte "), HasSubstr(": ")))
        << "byte " << at;
  }
}

TEST_F(Parcels, OfStreamsAndRowsThatWereNotDescribedAreDamaged) {
  std::string parcel;
  const std::size_t record = begin_record(parcel, 'P');
  parcel += std::string(17, '\0');
  end_record(parcel, record);
  EXPECT_THAT(end_of(parcel), HasSubstr("damaged at byte 36: a parcel of a session that was never described"));
  std::string session;
  const std::size_t begin = begin_record(session, 'N');
  session += std::string(61, '\0');
  end_record(session, begin);
  EXPECT_THAT(end_of(session), HasSubstr("damaged at byte 36: a session of a stream that was never described"));
}

TEST_F(Parcels, DescribeTypesSoDeepAndNoDeeper) {
  std::shared_ptr<const Type> type;
  for (int i = 0; i < 2 * kCaptureTypeDepth; ++i) {
    auto outer = std::make_shared<Type>();
    outer->base = type;
    type = outer;
  }
  RelationNote note;
  note.types[1] = type;
  const std::string bytes = bytes_of(note);
  ByteReader reader(bytes);
  const auto read = read_note(reader);
  ASSERT_NE(read, nullptr);
  int depth = 0;
  for (const Type* at = read->types.at(1).get(); at != nullptr; at = at->base.get()) ++depth;
  EXPECT_EQ(depth, kCaptureTypeDepth);
}

TEST_F(Parcels, GoBehindTheFramesOfAFileOfVersionOne) {
  // As version 1 wrote it: a stream, and a dead letter.
  std::string payload;
  std::size_t record = begin_record(payload, 'S');
  put_u32(payload, 1);
  put_stream(payload, *stream_of("db1"));
  end_record(payload, record);
  record = begin_record(payload, 'F');
  put_u32(payload, 1);
  put_u8(payload, 2);
  put_u64(payload, 5);
  put_u64(payload, 6);
  payload += "letter";
  end_record(payload, record);
  put_file(path_, file_header(1) + block_of(payload));
  EXPECT_EQ(read_parcels(path_), Strings{});
  EXPECT_EQ(file_content(path_).substr(0, kCaptureFileHeader), file_header(1));
  write({"1"});
  EXPECT_EQ(file_content(path_).substr(0, kCaptureFileHeader), file_header(2));
  EXPECT_EQ(read_parcels(path_), Strings{"db1/1: 1"});
  const auto reader = CaptureReader::open(path_);
  ASSERT_TRUE(reader.is_ok());
  const auto letter = (*reader)->next();
  ASSERT_TRUE(letter.is_ok() && *letter);
  EXPECT_EQ((*letter)->bytes, "letter");
  EXPECT_EQ((*letter)->role, FrameRole::kDeadLetter);
}

TEST_F(Parcels, AreInTheFileOnceWhatIsGatheredIsWritten) {
  const auto writer = CaptureWriter::open(path_);
  ASSERT_TRUE(writer.is_ok());
  (*writer)->append(parcel_of(packed({"1"})));
  EXPECT_EQ(read_parcels(path_), Strings{});
  ASSERT_TRUE((*writer)->write_gathered().is_ok());
  EXPECT_EQ(read_parcels(path_), Strings{"db1/1: 1"});
}

}  // namespace
}  // namespace walcat::test

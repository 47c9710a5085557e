// What captures bring down the street again: which parcels, in which order, of which session, and when.

#include "walcat/reader/capture_player.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "capture/parcels.h"
#include "decoder/feed.h"
#include "offsets/temporary_folder.h"
#include "walcat/base/byte_reader.h"
#include "walcat/model/frame_run.h"
#include "walcat/reader/xlog_frame.h"

namespace walcat::test {
namespace {

using std::chrono::microseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::shared_ptr<const CapturedSession> session(std::uint64_t number, std::int64_t run = 1,
                                               const ResumePoint& resume = {}) {
  return std::make_shared<const CapturedSession>(CapturedSession{run, number, 1, resume, {}, true});
}

// What a parcel is made of.
struct Piece {
  std::string label = "db1";
  std::shared_ptr<const CapturedSession> of = session(1);
  Strings frames = {};
  std::int64_t came = 0;
  bool is_context = false;
  std::shared_ptr<const SnapshotSource> snapshot = nullptr;
  std::uint64_t chunk = 0;
  std::uint64_t chunk_commit = 0;
};

Strings operator+(Strings left, const Strings& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

std::string table() { return at(0, relation(plain_table())); }

// A transaction of one row, whose key is its commit LSN.
Strings row_at(std::uint64_t lsn) {
  return {at(0, begin(lsn)), at(0, insert(kPlain, {std::to_string(lsn), "v"})), at(0, commit(lsn, lsn + 5))};
}

// `B100 I C100`, or the text of a row.
std::string shown(const CapturedParcel& parcel) {
  std::string text;
  for (FrameRun run(parcel.frames); !run.empty(); run.pop()) {
    if (!text.empty()) text += ' ';
    if (parcel.snapshot != nullptr) {
      text += run.front();
      continue;
    }
    const char kind = message_kind(run.front());
    text += kind == '\0' ? run.front().front() : kind;
    if (kind != 'B' && kind != 'C') continue;
    ByteReader body(message_body(run.front()));
    if (kind == 'C') body.u8();
    text += std::to_string(body.u64());
  }
  return text;
}

class CapturePlayerTest : public testing::Test {
 protected:
  // A block for each piece, behind what the file holds.
  std::string write(const std::string& name, const std::vector<Piece>& pieces) const {
    CaptureOptions options;
    options.path = folder_ / name;
    const auto writer = CaptureWriter::open(options);
    EXPECT_TRUE(writer.is_ok()) << writer.status().message();
    for (const Piece& piece : pieces) {
      const std::string frames = packed(piece.frames);
      CapturedParcel parcel;
      parcel.stream = stream_of(piece.label);
      parcel.session = piece.of;
      parcel.received_at = piece.came;
      parcel.is_context = piece.is_context;
      parcel.snapshot = piece.snapshot;
      parcel.chunk = piece.chunk;
      parcel.chunk_commit_lsn = Lsn{piece.chunk_commit};
      parcel.frames = frames;
      parcel.frame_count = piece.frames.size();
      (*writer)->append(parcel);
      EXPECT_TRUE((*writer)->sync().is_ok());
    }
    return options.path;
  }

  void open(const std::vector<std::string>& paths) {
    options_.paths = paths;
    auto opened = CapturePlayer::open(options_);
    ASSERT_TRUE(opened.is_ok()) << opened.status().message();
    player_ = std::move(*opened);
  }

  // All that is played, as `label/session.beginning: frames`, up to `most` parcels; a failure as its message.
  Strings play(const std::vector<std::string>& paths, std::size_t most = 1000) {
    open(paths);
    Strings all;
    while (player_ != nullptr && all.size() < most) {
      const auto parcel = player_->next();
      if (!parcel.is_ok()) {
        all.push_back(parcel.status().message());
        continue;
      }
      if (!*parcel) break;
      const CapturePlayer::Parcel& one = **parcel;
      EXPECT_EQ(one.captured.frame_count, unpacked(one.captured.frames).size());
      all.push_back(fmt::format("{}/{}.{}: {}", player_->streams()[one.lane]->label, one.session, one.beginning,
                                shown(one.captured)));
      due_.push_back(one.due);
    }
    return all;
  }

  // The changes that a decoder makes of it; one stream.
  Strings decode(const std::vector<std::string>& paths) {
    open(paths);
    Decoder decoder;
    Strings all;
    std::uint64_t sequence = 0;
    for (auto parcel = player_->next(); parcel.is_ok() && *parcel; parcel = player_->next()) {
      const CapturePlayer::Parcel& one = **parcel;
      Batch batch(4096);
      batch.append_frames(one.captured.frames, one.captured.frame_count);
      batch.sequence = sequence++;
      batch.session = one.session;
      batch.beginning = one.beginning;
      batch.resume = one.resume;
      batch.run = one.captured.session->run;
      batch.snapshot = one.captured.snapshot;
      batch.chunk = one.captured.chunk;
      batch.chunk_commit_lsn = one.captured.chunk_commit_lsn;
      const Status status = decoder.decode(batch);
      if (!status.is_ok()) all.push_back(status.message());
      for (const std::string& change : changes(batch)) all.push_back(change);
    }
    return all;
  }

  std::string refusal(const std::vector<std::string>& paths) {
    options_.paths = paths;
    const auto opened = CapturePlayer::open(options_);
    if (opened.is_ok()) return "";
    EXPECT_EQ(opened.status().code(), StatusCode::kRefused);
    return opened.status().message();
  }

  // Damages the file's second block.
  static void damage(const std::string& path) {
    std::string bytes = file_content(path);
    const std::size_t first = bytes.find(kCaptureBlockMagic);
    const std::size_t second = bytes.find(kCaptureBlockMagic, first + 1);
    bytes[second + kCaptureBlockHeader + 8] ^= 1;
    put_file(path, bytes);
  }

  TemporaryFolder folder_;
  ReplayOptions options_;
  std::unique_ptr<CapturePlayer> player_;
  std::vector<microseconds> due_;
};

TEST_F(CapturePlayerTest, PlaysAFileAsItCame) {
  const auto path = write("a", {{.frames = Strings{table()} + row_at(100)}, {.frames = row_at(200)}});
  EXPECT_EQ(play({path}), (Strings{"db1/1.1: R B100 I C100", "db1/1.1: B200 I C200"}));
  EXPECT_EQ(decode({path}), (Strings{"100.0 insert public.t (100, v)", "200.0 insert public.t (200, v)"}));
}

TEST_F(CapturePlayerTest, IsOverOnceAllIsPlayed) {
  open({write("a", {{.frames = row_at(100)}})});
  EXPECT_TRUE(player_->next().value().has_value());
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(player_->next().value().has_value());
}

TEST_F(CapturePlayerTest, HandsOutTheSessionsOfEachStreamAsItsOwn) {
  const auto path = write("a", {{.frames = row_at(100)},
                                {.label = "db2", .of = session(4), .frames = row_at(50)},
                                {.of = session(2), .frames = row_at(200)},
                                {.label = "db2", .of = session(4), .frames = row_at(60)}});
  EXPECT_EQ(play({path}),
            (Strings{"db1/1.1: B100 I C100", "db2/1.1: B50 I C50", "db1/2.1: B200 I C200", "db2/1.1: B60 I C60"}));
}

TEST_F(CapturePlayerTest, SaysFromWhereASessionGoesOn) {
  const ResumePoint resume{Lsn{150}, Lsn{200}, 3};
  open({write("a", {{.of = session(1, 1, resume), .frames = row_at(200)}})});
  EXPECT_EQ(player_->next().value()->resume, resume);
}

TEST_F(CapturePlayerTest, PlaysASeriesAsOneStream) {
  const auto first = write("a", {{.frames = Strings{table()} + row_at(100)}, {.frames = {row_at(200)[0]}}});
  const auto second = write("b", {{.frames = {table()}, .is_context = true},
                                  {.frames = {row_at(200)[1], row_at(200)[2]}},
                                  {.frames = row_at(300)}});
  EXPECT_EQ(play({first, second}),
            (Strings{"db1/1.1: R B100 I C100", "db1/1.1: B200", "db1/1.1: I C200", "db1/1.1: B300 I C300"}));
  EXPECT_THAT(decode({first, second}), testing::SizeIs(3));
}

TEST_F(CapturePlayerTest, BeginsASeriesInTheMiddleWithTheNextTransaction) {
  const auto second = write(
      "b", {{.frames = {table()}, .is_context = true},
            {.frames = {row_at(200)[1], at(0, type(20000, "public", "mood")), table(),
                        at(0, logical_message(true, 1, "in", "side")), keepalive(190)}},
            {.frames = Strings{row_at(200)[1], row_at(200)[2], at(0, logical_message(false, 250, "out", "side"))} +
                       row_at(300)},
            {.frames = row_at(400)}});
  EXPECT_EQ(play({second}),
            (Strings{"db1/1.1: R", "db1/1.1: Y R k", "db1/1.1: M B300 I C300", "db1/1.1: B400 I C400"}));
  EXPECT_THAT(decode({second}), testing::SizeIs(3));
}

TEST_F(CapturePlayerTest, PlaysStreamsOfSeveralFilesInTurn) {
  const auto one = write("a", {{.frames = row_at(100)}, {.frames = row_at(200)}, {.frames = row_at(300)}});
  const auto two = write("b", {{.label = "db2", .frames = row_at(10)}, {.label = "db2", .frames = row_at(20)}});
  EXPECT_EQ(play({one, two}), (Strings{"db1/1.1: B100 I C100", "db2/1.1: B10 I C10", "db1/1.1: B200 I C200",
                                       "db2/1.1: B20 I C20", "db1/1.1: B300 I C300"}));
}

TEST_F(CapturePlayerTest, KeepsTheFilesOfEachStreamInTheirOrder) {
  const auto one = write("a", {{.frames = row_at(100)}, {.frames = row_at(200)}});
  const auto two = write("b", {{.label = "db2", .frames = row_at(10)}, {.label = "db2", .frames = row_at(20)}});
  const auto both = write("c", {{.frames = row_at(300)}, {.label = "db2", .frames = row_at(30)}});
  const auto more = write("d", {{.frames = row_at(400)}});
  std::map<std::string, Strings> of_database;
  for (const auto& text : play({one, two, both, more})) of_database[text.substr(0, 3)].push_back(text);
  EXPECT_THAT(of_database,
              ElementsAre(Pair("db1", ElementsAre("db1/1.1: B100 I C100", "db1/1.1: B200 I C200",
                                                  "db1/1.1: B300 I C300", "db1/1.1: B400 I C400")),
                          Pair("db2", ElementsAre("db2/1.1: B10 I C10", "db2/1.1: B20 I C20", "db2/1.1: B30 I C30"))));
}

TEST_F(CapturePlayerTest, PlaysByTheClockAsRecorded) {
  options_.tempo = ReplayOptions::Tempo::kRecorded;
  const auto one = write("a", {{.frames = row_at(100), .came = 1000}, {.frames = row_at(200), .came = 1900}});
  const auto two = write("b", {{.label = "db2", .frames = row_at(10), .came = 5'000'000},
                               {.label = "db2", .frames = row_at(20), .came = 5'000'300},
                               {.label = "db2", .frames = row_at(30), .came = 5'001'000}});
  EXPECT_EQ(play({one, two}), (Strings{"db1/1.1: B100 I C100", "db2/1.1: B10 I C10", "db2/1.1: B20 I C20",
                                       "db1/1.1: B200 I C200", "db2/1.1: B30 I C30"}));
  EXPECT_THAT(due_,
              ElementsAre(microseconds(0), microseconds(0), microseconds(300), microseconds(900), microseconds(1000)));
}

TEST_F(CapturePlayerTest, TakesAClockThatWasSetBack) {
  options_.tempo = ReplayOptions::Tempo::kRecorded;
  play({write("a", {{.frames = row_at(100), .came = 1000}, {.frames = row_at(200), .came = 400}})});
  EXPECT_THAT(due_, ElementsAre(microseconds(0), microseconds(0)));
}

TEST_F(CapturePlayerTest, BeginsAnewWithEachLoop) {
  options_.loops = 3;
  const auto path = write("a", {{.frames = Strings{table()} + row_at(100), .came = 50},
                                {.of = session(2), .frames = row_at(200), .came = 950}});
  EXPECT_EQ(play({path}), (Strings{"db1/1.1: R B100 I C100", "db1/2.1: B200 I C200", "db1/3.3: R B100 I C100",
                                   "db1/4.3: B200 I C200", "db1/5.5: R B100 I C100", "db1/6.5: B200 I C200"}));
  EXPECT_THAT(due_, ElementsAre(microseconds(0), microseconds(900), microseconds(900), microseconds(1800),
                                microseconds(1800), microseconds(2700)));
  const auto whole = write("b", {{.frames = Strings{table()} + row_at(100)}});
  EXPECT_THAT(decode({whole}), testing::Each("100.0 insert public.t (100, v)"));
  EXPECT_THAT(decode({whole}), testing::SizeIs(3));
}

TEST_F(CapturePlayerTest, LoopsForEver) {
  options_.loops = 0;
  EXPECT_EQ(play({write("a", {{.frames = row_at(100)}})}, 500).back(), "db1/500.500: B100 I C100");
}

// Or it would look for something for ever.
TEST_F(CapturePlayerTest, LoopsOverNothingOnce) {
  options_.loops = 0;
  options_.to_lsn = Lsn{50};
  EXPECT_THAT(play({write("a", {{.frames = row_at(100)}})}), IsEmpty());
}

TEST_F(CapturePlayerTest, PlaysTransactionsOfARangeOfPositions) {
  const auto path = write("a", {{.frames = Strings{table()} + row_at(100) + row_at(200)},
                                {.frames = row_at(300) + row_at(400)},
                                {.frames = row_at(500)}});
  options_.to_lsn = Lsn{400};
  EXPECT_EQ(play({path}), (Strings{"db1/1.1: R B100 I C100 B200 I C200", "db1/1.1: B300 I C300"}));
  options_.from_lsn = Lsn{200};
  EXPECT_EQ(decode({path}), (Strings{"200.0 insert public.t (200, v)", "300.0 insert public.t (300, v)"}));
  options_.loops = 2;
  EXPECT_EQ(decode({path}), (Strings{"200.0 insert public.t (200, v)", "300.0 insert public.t (300, v)",
                                     "200.0 insert public.t (200, v)", "300.0 insert public.t (300, v)"}));
}

TEST_F(CapturePlayerTest, PlaysTheWholeTransactionAtTheFirstPosition) {
  const ResumePoint cut{Lsn{150}, Lsn{200}, 1};
  const auto path = write("a", {{.of = session(1, 1, cut), .frames = Strings{table()} + row_at(200) + row_at(300)}});
  options_.from_lsn = Lsn{201};
  EXPECT_EQ(decode({path}), (Strings{"300.0 insert public.t (300, v)"}));
  options_.from_lsn = Lsn{100};
  EXPECT_EQ(decode({path}), (Strings{"300.0 insert public.t (300, v)"})) << "what was done before the recording";
}

// Its line says that it commits a byte before its own position.
TEST_F(CapturePlayerTest, PlaysMessagesOutsideOfTransactionsUpToThePosition) {
  const auto message_at = [](std::uint64_t lsn) { return at(0, logical_message(false, lsn, "p", "c")); };
  const auto path = write("a", {{.frames = {message_at(150)}}, {.frames = {message_at(200), message_at(201)}}});
  options_.to_lsn = Lsn{200};
  EXPECT_EQ(decode({path}), (Strings{"149.0 message (p, c)", "199.0 message (p, c)"}));
}

TEST_F(CapturePlayerTest, EndsOneStreamAtThePositionAndPlaysTheOthers) {
  options_.to_lsn = Lsn{200};
  const auto path = write("a", {{.frames = row_at(200)},
                                {.label = "db2", .frames = row_at(100)},
                                {.frames = row_at(300)},
                                {.label = "db2", .frames = row_at(150)}});
  EXPECT_EQ(play({path}), (Strings{"db2/1.1: B100 I C100", "db2/1.1: B150 I C150"}));
}

TEST_F(CapturePlayerTest, PlaysRowsOfSnapshotsWhereTheyStand) {
  const auto early = source_of(plain_table(), 100);
  const auto chunks = source_of(plain_table(), 0, 1);
  const auto path = write("a", {{.frames = {"1\ta", "2\tb"}, .snapshot = early},
                                {.frames = Strings{table()} + row_at(200)},
                                {.frames = {"3\tc"}, .snapshot = chunks, .chunk = 1, .chunk_commit = 200},
                                {.frames = row_at(300)},
                                {.frames = {"4\td"}, .snapshot = chunks, .chunk = 2, .chunk_commit = 300}});
  EXPECT_EQ(play({path}), (Strings{"db1/1.1: 1\ta 2\tb", "db1/1.1: R B200 I C200", "db1/1.1: 3\tc",
                                   "db1/1.1: B300 I C300", "db1/1.1: 4\td"}));
  EXPECT_EQ(decode({path}),
            (Strings{"100.0 read public.t (1, a)", "100.1 read public.t (2, b)", "200.0 insert public.t (200, v)",
                     "200.1 read public.t (3, c)", "300.0 insert public.t (300, v)", "300.1 read public.t (4, d)"}));
  options_.from_lsn = Lsn{101};
  options_.to_lsn = Lsn{300};
  const Strings inside{"200.0 insert public.t (200, v)", "200.1 read public.t (3, c)"};
  EXPECT_EQ(decode({path}), inside);
  options_.loops = 2;
  EXPECT_EQ(decode({path}), inside + inside);
}

TEST_F(CapturePlayerTest, NumbersRowsOfASnapshotAlikeInEachLoop) {
  const auto path = write("a", {{.frames = {"1\ta", "2\tb"}, .snapshot = source_of(plain_table(), 100)}});
  const Strings rows{"100.0 read public.t (1, a)", "100.1 read public.t (2, b)"};
  options_.loops = 2;
  EXPECT_EQ(decode({path}), rows + rows);
}

TEST_F(CapturePlayerTest, ChoosesDatabasesByNameOrLabel) {
  const auto path = write("a", {{.frames = row_at(100)}, {.label = "db2", .frames = row_at(10)}});
  options_.databases = {"db2"};
  EXPECT_EQ(play({path}), Strings{"db2/1.1: B10 I C10"});
  options_.databases = {"db2_db"};
  EXPECT_EQ(play({path}), Strings{"db2/1.1: B10 I C10"});
  options_.databases = {"db2_db", "db1"};
  EXPECT_THAT(play({path}), testing::SizeIs(2));
  options_.databases = {"db2", "db3"};
  EXPECT_EQ(refusal({path}), "--databases: found \"db3\", of which no capture holds anything");
}

// Runs number their sessions alike.
TEST_F(CapturePlayerTest, TellsTheSessionsOfARunFromThoseOfTheRunBefore) {
  write("a", {{.of = session(1, 7), .frames = Strings{table()} + row_at(100) + Strings{row_at(200)[0]}}});
  const auto path = write("a", {{.of = session(1, 8), .frames = Strings{table()} + row_at(100) + row_at(200)}});
  EXPECT_EQ(play({path}), (Strings{"db1/1.1: R B100 I C100 B200", "db1/2.1: R B100 I C100 B200 I C200"}));
  EXPECT_EQ(decode({path}), (Strings{"100.0 insert public.t (100, v)", "200.0 insert public.t (200, v)"}))
      << "what came twice is told once";
}

// As it printed what came behind the gap, wherever the server's log stood then.
TEST_F(CapturePlayerTest, BeginsAnewWhereARunDid) {
  const auto behind_gap = std::make_shared<const CapturedSession>(CapturedSession{1, 2, 2, {Lsn{40}, {}, 0}, {}, true});
  const auto reconnected =
      std::make_shared<const CapturedSession>(CapturedSession{1, 3, 2, {Lsn{40}, {}, 0}, {}, true});
  const auto path = write("a", {{.frames = Strings{table()} + row_at(100)},
                                {.of = behind_gap, .frames = Strings{table()} + row_at(50)},
                                {.of = reconnected, .frames = Strings{table()} + row_at(50) + row_at(60)}});
  EXPECT_EQ(play({path}),
            (Strings{"db1/1.1: R B100 I C100", "db1/2.2: R B50 I C50", "db1/3.2: R B50 I C50 B60 I C60"}));
  EXPECT_EQ(decode({path}), (Strings{"100.0 insert public.t (100, v)", "50.0 insert public.t (50, v)",
                                     "60.0 insert public.t (60, v)"}));
}

TEST_F(CapturePlayerTest, NumbersRowsOfASnapshotAnewInEachRun) {
  write("a", {{.of = session(1, 7), .frames = {"1\ta", "2\tb"}, .snapshot = source_of(plain_table(), 100)}});
  const auto path =
      write("a", {{.of = session(1, 8), .frames = {"1\ta", "2\tb"}, .snapshot = source_of(plain_table(), 200)}});
  EXPECT_EQ(decode({path}), (Strings{"100.0 read public.t (1, a)", "100.1 read public.t (2, b)",
                                     "200.0 read public.t (1, a)", "200.1 read public.t (2, b)"}));
}

TEST_F(CapturePlayerTest, EndsTheStreamsOfADamagedFileAndPlaysTheOthers) {
  options_.loops = 2;
  const auto broken = write("a", {{.frames = row_at(100)}, {.frames = row_at(200)}, {.frames = row_at(300)}});
  const auto sound = write("b", {{.label = "db2", .frames = row_at(10)}, {.label = "db2", .frames = row_at(20)}});
  damage(broken);
  EXPECT_THAT(play({broken, sound}), ElementsAre("db1/1.1: B100 I C100", HasSubstr(broken), "db2/1.1: B10 I C10",
                                                 "db2/1.1: B20 I C20", "db2/2.2: B10 I C10", "db2/2.2: B20 I C20"));
}

TEST_F(CapturePlayerTest, SaysWhichLanesADamagedFileEnds) {
  const auto sound = write("a", {{.frames = row_at(100)}});
  const auto broken = write("b", {{.label = "db2", .frames = row_at(10)},
                                  {.label = "db2", .frames = row_at(20)},
                                  {.label = "db2", .frames = row_at(30)}});
  damage(broken);
  open({sound, broken});
  std::vector<std::uint32_t> failed;
  for (;;) {
    const auto parcel = player_->next();
    if (!parcel.is_ok()) failed = player_->failed_lanes();
    if (parcel.is_ok() && !*parcel) break;
    if (parcel.is_ok()) {
      EXPECT_THAT(player_->failed_lanes(), IsEmpty());
    }
  }
  EXPECT_THAT(failed, ElementsAre(1U));
}

TEST_F(CapturePlayerTest, PlaysNothingMoreOfALaneThatIsEnded) {
  options_.loops = 0;
  open({write("a", {{.frames = row_at(100)}, {.frames = row_at(200)}})});
  EXPECT_TRUE(player_->next().value().has_value());
  player_->end_lane(0);
  EXPECT_FALSE(player_->next().value().has_value());
}

TEST_F(CapturePlayerTest, PlaysATornFileUpToTheTear) {
  const auto path = write("a", {{.frames = row_at(100)}, {.frames = row_at(200)}});
  const std::string bytes = file_content(path);
  put_file(path, bytes.substr(0, bytes.size() - 3));
  EXPECT_EQ(play({path}), Strings{"db1/1.1: B100 I C100"});
}

TEST_F(CapturePlayerTest, RefusesWhatHoldsNothingToPlay) {
  const std::string nothing = "the captures hold no stream to play; dead letters are none";
  EXPECT_EQ(refusal({write("empty", {})}), nothing);
  const std::string letters = folder_ / "letters";
  CaptureOptions options;
  options.path = letters;
  auto writer = CaptureWriter::open(options);
  ASSERT_TRUE(writer.is_ok());
  (*writer)->append(CapturedFrame{stream_of("db1"), FrameRole::kDeadLetter, 0, 0, "bytes"});
  ASSERT_TRUE((*writer)->sync().is_ok());
  EXPECT_EQ(refusal({letters}), nothing);
  EXPECT_THAT(refusal({folder_ / "none"}), HasSubstr(folder_ / "none"));
}

TEST_F(CapturePlayerTest, RefusesAFileThatIsDamagedBeforeItsFirstStream) {
  const auto sound = write("a", {{.frames = row_at(100)}});
  const auto broken = write("b", {{.frames = row_at(200)}, {.frames = row_at(300)}});
  std::string bytes = file_content(broken);
  bytes[kCaptureFileHeader + kCaptureBlockHeader + 8] ^= 1;
  put_file(broken, bytes);
  EXPECT_THAT(refusal({sound, broken}), HasSubstr(broken + ": damaged"));
}

}  // namespace
}  // namespace walcat::test

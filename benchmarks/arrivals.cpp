// What benchmarks/delay.py measures delays with: one program with three jobs, each as cheap as can be. Moments are
// nanoseconds since 1970 (CLOCK_REALTIME). They are kept in memory and printed at the end, one row a line.
//
//   arrivals commits CONNINFO FIRST COUNT RATE   inserts COUNT rows, RATE a second, keys from FIRST on, one a commit;
//                                                prints KEY SENT ANSWERED
//   arrivals frames CONNINFO SLOT PUBLICATION COUNT
//                                                the raw probe: blocks in libpq until COUNT Insert frames came; prints
//                                                KEY ARRIVED
//   arrivals lines                               reads walcat's lines from a pipe until it ends; prints KEY ARRIVED

#include <libpq-fe.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kReadBytes = std::size_t{1} << 16;
// Of a CopyData frame with WAL in it, and of an Insert's beginning: 'I', relation, 'N', number of columns.
constexpr std::size_t kWalHeaderBytes = 25;
constexpr std::size_t kInsertHeaderBytes = 8;
// 'r', three positions, time, whether an answer is wanted.
constexpr std::size_t kStatusBytes = 34;
constexpr std::string_view kKey = "\"id\":";

struct Moments {
  std::string key;
  std::int64_t first = 0;
  std::int64_t second = 0;
};

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

[[noreturn]] void fail(std::string_view what) {
  std::fprintf(stderr, "arrivals: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

std::int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

Connection connect(const std::string& conninfo) {
  Connection connection(PQconnectdb(conninfo.c_str()), &PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) fail(PQerrorMessage(connection.get()));
  return connection;
}

void expect(PGconn* connection, const Answer& answer, ExecStatusType status) {
  if (PQresultStatus(answer.get()) != status) fail(PQerrorMessage(connection));
}

void sleep_until(std::int64_t moment) {
  const timespec time{moment / kSecond, moment % kSecond};
  while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, nullptr) != 0) {
  }
}

std::vector<Moments> commits(const std::string& conninfo, long first, long count, long rate) {
  const Connection connection = connect(conninfo);
  expect(connection.get(),
         Answer(PQprepare(connection.get(), "one", "INSERT INTO delayed VALUES ($1::bigint, 'a row')", 1, nullptr),
                &PQclear),
         PGRES_COMMAND_OK);
  std::vector<Moments> seen;
  seen.reserve(static_cast<std::size_t>(count));
  const std::int64_t began = now();
  for (long i = 0; i < count; ++i) {
    sleep_until(began + i * kSecond / rate);
    Moments row{std::to_string(first + i)};
    const char* const key = row.key.c_str();
    row.first = now();
    const Answer answer(PQexecPrepared(connection.get(), "one", 1, &key, nullptr, nullptr, 0), &PQclear);
    row.second = now();
    expect(connection.get(), answer, PGRES_COMMAND_OK);
    seen.push_back(std::move(row));
  }
  return seen;
}

std::uint32_t big_endian(std::string_view four) {
  std::uint32_t value = 0;
  for (const char byte : four.substr(0, 4)) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

// The first column of an Insert, in text form; nothing of other frames.
std::string_view inserted_key(std::string_view frame) {
  const std::size_t column = kWalHeaderBytes + kInsertHeaderBytes;
  if (frame.size() < column + 5 || frame[0] != 'w' || frame[kWalHeaderBytes] != 'I' || frame[column] != 't') return {};
  return frame.substr(column + 5, big_endian(frame.substr(column + 1)));
}

// Nothing is confirmed: the slot is dropped anyway.
void answer_keepalive(PGconn* connection, std::string_view frame) {
  if (frame[0] != 'k' || frame.back() == 0) return;
  std::array<char, kStatusBytes> status{};
  status[0] = 'r';
  if (PQputCopyData(connection, status.data(), static_cast<int>(status.size())) != 1 || PQflush(connection) != 0) {
    fail(PQerrorMessage(connection));
  }
}

std::vector<Moments> frames(const std::string& conninfo, const std::string& slot, const std::string& publication,
                            std::size_t count) {
  const Connection connection = connect(conninfo + " replication=database");
  const std::string start =
      "START_REPLICATION SLOT " + slot + " LOGICAL 0/0 (proto_version '1', publication_names '" + publication + "')";
  expect(connection.get(), Answer(PQexec(connection.get(), start.c_str()), &PQclear), PGRES_COPY_BOTH);
  std::vector<Moments> seen;
  seen.reserve(count);
  while (seen.size() < count) {
    char* buffer = nullptr;
    const int size = PQgetCopyData(connection.get(), &buffer, 0);
    const std::int64_t arrived = now();
    if (size <= 0) fail(PQerrorMessage(connection.get()));
    const std::unique_ptr<char, decltype(&PQfreemem)> owned(buffer, &PQfreemem);
    const std::string_view frame(buffer, static_cast<std::size_t>(size));
    answer_keepalive(connection.get(), frame);
    const std::string_view key = inserted_key(frame);
    if (!key.empty()) seen.push_back({std::string(key), arrived});
  }
  return seen;
}

// The digits behind the first "id": of a line.
std::string key_of(std::string_view line) {
  const std::size_t found = line.find(kKey);
  if (found == std::string_view::npos) fail("a line without a key");
  const std::string_view rest = line.substr(found + kKey.size());
  return std::string(rest.substr(0, rest.find_first_not_of("0123456789")));
}

// A line has arrived when its end has.
std::vector<Moments> lines() {
  std::vector<Moments> seen;
  std::string waiting;
  std::vector<char> block(kReadBytes);
  while (true) {
    const ssize_t size = read(STDIN_FILENO, block.data(), block.size());
    const std::int64_t arrived = now();
    if (size < 0) fail("the pipe cannot be read");
    if (size == 0) return seen;
    waiting.append(block.data(), static_cast<std::size_t>(size));
    std::size_t begin = 0;
    for (std::size_t end = waiting.find('\n'); end != std::string::npos; end = waiting.find('\n', begin)) {
      seen.push_back({key_of(std::string_view(waiting).substr(begin, end - begin)), arrived});
      begin = end + 1;
    }
    waiting.erase(0, begin);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  std::vector<Moments> seen;
  if (arguments.size() == 5 && arguments[0] == "commits") {
    seen = commits(arguments[1], std::stol(arguments[2]), std::stol(arguments[3]), std::stol(arguments[4]));
  } else if (arguments.size() == 5 && arguments[0] == "frames") {
    seen = frames(arguments[1], arguments[2], arguments[3], std::stoul(arguments[4]));
  } else if (arguments.size() == 1 && arguments[0] == "lines") {
    seen = lines();
  } else {
    fail("see the head of benchmarks/arrivals.cpp");
  }
  for (const Moments& row : seen) {
    std::printf("%s %lld", row.key.c_str(), static_cast<long long>(row.first));
    if (row.second != 0) std::printf(" %lld", static_cast<long long>(row.second));
    std::printf("\n");
  }
  return 0;
}

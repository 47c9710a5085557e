// Reaches what the unit tests do not: any bytes as an offset file. What is no offset is a gap by name; what is one
// comes back from the file that it is stored to, for an offset that cannot be read again is a database that cannot go
// on.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "fuzz_target.h"
#include "walcat/offsets/offset_file.h"

namespace walcat::test {
namespace {

// A folder in memory where there is one, for a disk would be asked to sync at each input.
class Folder {
 public:
  Folder() {
    const std::filesystem::path memory = "/dev/shm";
    const auto base = ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
    path_ = base / ("walcat_offset_file_fuzz." + std::to_string(::getpid()));
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

void check_again(const OffsetFile& file, const Offset& offset) {
  if (const Status stored = file.store(offset); !stored.is_ok()) finding("not stored", stored.message());
  const auto again = file.load();
  if (!again.is_ok()) finding("what was stored cannot be read", again.status().message());
  if (!again->has_value()) finding("what was stored is not there");
  if (!(**again == offset)) finding("another offset came back");
}

}  // namespace
}  // namespace walcat::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace walcat;
  using namespace walcat::test;
  static const Folder folder;
  static const OffsetFile file(folder.file("offset.json"));
  std::ofstream(file.path(), std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes), static_cast<std::streamsize>(size));
  const auto loaded = file.load();
  if (!loaded.is_ok()) {
    if (loaded.status().code() != StatusCode::kGap) finding("another error", loaded.status().message());
    return 0;
  }
  if (!loaded->has_value()) finding("the file is not there");
  check_again(file, **loaded);
  return 0;
}

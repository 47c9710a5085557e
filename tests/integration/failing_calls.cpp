// Loaded before the C library into a walcat under test: calls that never return, or are refused, when a file asks for
// it. FAILING_CALLS names the folder of these files.
//
//   hang.NAME      getaddrinfo, fsync or fdatasync does not return any more; hung.NAME is made once one is in there
//   refuse.NAME    pthread_create fails with EAGAIN, malloc and realloc with ENOMEM from as many bytes on as the file
//                  says
//
// FAILING_CALLS_THREADS=N refuses the Nth thread of the process, counted from 1, and N- all from it on.

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// Without the heap, for malloc asks too.
struct Path {
  Path(const char* what, const char* name) {
    const char* folder = std::getenv("FAILING_CALLS");
    std::snprintf(text, sizeof text, "%s/%s.%s", folder == nullptr ? "/nonexistent" : folder, what, name);
  }
  bool exists() const { return ::access(text, F_OK) == 0; }
  char text[512];
};

void hang_if_asked(const char* name) {
  if (!Path("hang", name).exists()) return;
  ::close(::open(Path("hung", name).text, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  for (;;) ::pause();
}

bool is_refused(std::size_t bytes) {
  // What a test refuses is large; to look for a file at each call would make everything slow.
  if (bytes < 1U << 20) return false;
  const int fd = ::open(Path("refuse", "malloc").text, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char text[32] = "";
  const ssize_t size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  return size > 0 && bytes >= std::strtoull(text, nullptr, 10);
}

bool is_thread_refused() {
  static std::atomic<long> made{0};
  const long number = ++made;
  if (Path("refuse", "pthread_create").exists()) return true;
  const char* wanted = std::getenv("FAILING_CALLS_THREADS");
  if (wanted == nullptr) return false;
  char* end = nullptr;
  const long from = std::strtol(wanted, &end, 10);
  return *end == '-' ? number >= from : number == from;
}

}  // namespace

extern "C" {

int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  hang_if_asked("getaddrinfo");
  return real<decltype(getaddrinfo)>("getaddrinfo")(node, service, hints, found);
}

int fsync(int fd) {
  hang_if_asked("fsync");
  return real<decltype(fsync)>("fsync")(fd);
}

int fdatasync(int fd) {
  hang_if_asked("fdatasync");
  return real<decltype(fdatasync)>("fdatasync")(fd);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
  if (is_thread_refused()) return EAGAIN;
  return real<decltype(pthread_create)>("pthread_create")(thread, attributes, start, argument);
}

void* malloc(std::size_t bytes) {
  static auto* const next = real<void*(std::size_t)>("malloc");
  if (!is_refused(bytes)) return next(bytes);
  errno = ENOMEM;
  return nullptr;
}

void* realloc(void* memory, std::size_t bytes) {
  static auto* const next = real<void*(void*, std::size_t)>("realloc");
  if (!is_refused(bytes)) return next(memory, bytes);
  errno = ENOMEM;
  return nullptr;
}

}  // extern "C"

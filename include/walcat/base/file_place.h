#pragma once

#include <string>

namespace walcat {

/// Where a file is that was opened by a path.
enum class FilePlace {
  /// At that path, or there is no telling, as the path can't be looked up.
  kInPlace,
  /// It has a name, but the path leads elsewhere, or nowhere.
  kMoved,
  /// It has no name any more, or on NFS one that its client gave it: who has it open sees it, and nobody else.
  kDeleted,
};

/// Where the file of descriptor `fd` is, which was opened as `path`.
///
/// Threads: thread-safe.
FilePlace place_of(int fd, const std::string& path);

/// The path of the file of descriptor `fd` without symbolic links; empty if the system does not tell.
///
/// Threads: thread-safe.
std::string path_of(int fd);

/// Makes the name `path` survive a crash of the machine: syncs the folder it stands in.
///
/// Errors: false, and errno says why.
bool sync_folder_of(const std::string& path);

}  // namespace walcat

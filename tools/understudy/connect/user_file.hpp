/// A configuration file of the user's: read whole, and replaced whole or not at all.
///
/// Invariants
/// 1. Before a file is replaced, a copy of it is FILE.bak. A backup that exists is never overwritten.
/// 2. The new text is written beside the file, brought to the disk and renamed: a reader sees the old text or the new
///    one. If anything fails, the file is as it was, and nothing is left beside it.
/// 3. A link stays a link: the file that it names is replaced. A file keeps its mode and its owner; a new one, and one
///    that gets a secret, is readable by its owner alone.
/// 4. A file that has changed since it was read is not replaced.
///
///     auto file = read_user_file("/home/me/.claude/settings.json").value();
///     auto backup = replace_user_file(file, edited, Readers::owner);
#pragma once

#include <sys/types.h>

#include <string>

#include "source_result.hpp"

namespace understudy::tool {

class UserFile {
 public:
  std::string path;  ///< without links
  bool exists = false;
  std::string text;
  mode_t mode = 0600;
  uid_t owner = 0;
  gid_t group = 0;
};

enum class Readers : unsigned char { as_before, owner };

/// A file that does not exist is empty. Errors: a file that cannot be read, is larger than 16 MiB, is none, or a link
/// to nothing.
SourceResult<UserFile> read_user_file(const std::string& path);

/// The name of the backup; empty if there was no file before. Errors: why it is not replaced.
SourceResult<std::string> replace_user_file(const UserFile& file, const std::string& text,
                                            Readers readers);

}  // namespace understudy::tool

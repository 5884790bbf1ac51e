// What a tar archive holds, and what it may. An archive that we restore from may come from anywhere, so every
// entry is looked at before anything is written:
//   - its path stays below the root: relative, without "..", not through a symbolic link of the same archive;
//   - a hard link's target is a path by the same rules;
//   - a symbolic link may say anything: it is data, and means something only where the volume is mounted;
//   - it is a file, a directory, a link or a FIFO: no devices;
//   - all of it is within Limits.
// Extended attributes and access control lists are left out; times are kept to the second.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace agentdb9::archive {

enum class EntryType { kFile, kDirectory, kSymbolicLink, kHardLink, kFifo };
std::string_view to_text(EntryType type);  // "file", "directory", "link", "hardlink", "fifo"

struct Entry {
    std::string path;  // relative, no leading "./"; "" is the root itself
    EntryType type = EntryType::kFile;
    std::uint64_t size = 0;  // bytes
    std::uint32_t mode = 0;  // permission bits
    std::int64_t uid = 0;
    std::int64_t gid = 0;
    base::Time modified_at;
    std::string link_target;
};

struct Contents {
    std::uint64_t files = 0;  // hard links count
    std::uint64_t directories = 0;
    std::uint64_t links = 0;
    std::uint64_t bytes = 0;  // of the files
};

struct Limits {
    std::uint64_t bytes = 1ULL << 40;
    std::uint64_t entries = 20'000'000;
};

}  // namespace agentdb9::archive

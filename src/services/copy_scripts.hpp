// What runs in a workspace when files are copied (workspace_files.hpp): POSIX shell, tar, mktemp and mv.
// Pure.
#pragma once

#include <string>
#include <vector>

namespace agentdb9::services {

// Exit codes of both; any other is tar's own.
inline constexpr int kPathNotFound = 41;
inline constexpr int kOutside = 42;  // a link leads out of the roots
inline constexpr int kNoTar = 43;
inline constexpr int kNoDirectory = 44;
inline constexpr int kSeveralEntries = 45;
inline constexpr int kInTheWay = 46;
inline constexpr int kNoEntries = 47;
inline constexpr int kNotWritable = 48;
inline constexpr int kNotUnpacked = 49;

// Any bytes, in letters that a command's arguments may have, for printf '%b'.
std::string octal(const std::string& bytes);
std::vector<std::string> reading_command(const std::string& directory, const std::string& name,
                                         const std::vector<std::string>& roots);
std::vector<std::string> writing_command(const std::string& directory, const std::string& name,
                                         bool must_be_directory, const std::vector<std::string>& roots);

}  // namespace agentdb9::services

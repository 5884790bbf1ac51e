// Secrets that the program makes for itself on its first start. Blocks; before serving only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace agentdb9::auth {

// The secret in `file`; when there is no such file, a new one of 32 random bytes (in base64url) is written
// there first, readable by its owner only, on the disk before this returns. Throws Error: kForbidden
// "secret_readable_by_others" when its group or others may read the file, kInvalid "secret_malformed" when it
// holds fewer than 32 bytes, kUnavailable "secret_unreadable" when it cannot be read or made.
std::string load_or_make_secret(const std::filesystem::path& file);

// The same without making one: absent when there is no such file.
std::optional<std::string> load_secret(const std::filesystem::path& file);

}  // namespace agentdb9::auth

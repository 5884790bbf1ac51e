// Passwords: argon2id (RFC 9106) for ours; bcrypt hashes of accounts that an earlier backend made are read
// until their owner logs in next. Every function but the last two blocks for as long as the hash costs: only
// on a base::BlockingPool of few threads, since each run takes the memory of its cost.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace agentdb9::auth {

struct PasswordCost {
    unsigned long long operations = 2;
    std::size_t memory_bytes = std::size_t{64} * 1024 * 1024;
    // For tests only: no protection at all.
    static PasswordCost lowest() { return {1, 8192}; }
};

// Throws Error{kUnavailable, "busy"} when there is no memory for it.
std::string hash_password(std::string_view password, const PasswordCost& cost);

// Reads argon2id and bcrypt ($2a$, $2b$, $2y$; of these only the password's first 72 bytes count). False for
// any other text.
bool verify_password(std::string_view password, const std::string& hash);

// True for hashes that are not argon2id of this cost.
bool needs_rehash(const std::string& hash, const PasswordCost& cost);

// What is wrong with a new password, to follow its field's name: "must have 8 to 128 characters".
std::optional<std::string> password_problem(std::string_view password);

}  // namespace agentdb9::auth

#include "auth/passwords.hpp"

#include <crypt.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "base/crypto.hpp"
#include "base/error.hpp"

namespace agentdb9::auth {
namespace {

constexpr std::size_t kMinCharacters = 8;
constexpr std::size_t kMaxCharacters = 128;

bool is_bcrypt(std::string_view hash) {
    return hash.size() == 60 &&
           (hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$"));
}

bool verify_bcrypt(std::string_view password, const std::string& hash) {
    // 32 kB that crypt_r fills with what it makes of the password.
    const auto data = std::make_unique<crypt_data>();
    const std::string text(password);
    const char* made = ::crypt_r(text.c_str(), hash.c_str(), data.get());
    const bool same = made != nullptr && base::equal_constant_time(made, hash);
    sodium_memzero(data.get(), sizeof(crypt_data));
    return same;
}

}  // namespace

std::string hash_password(std::string_view password, const PasswordCost& cost) {
    if (sodium_init() < 0) std::abort();
    std::array<char, crypto_pwhash_STRBYTES> text{};
    if (crypto_pwhash_str_alg(text.data(), password.data(), password.size(), cost.operations,
                              cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        throw base::Error(base::ErrorCode::kUnavailable, "busy",
                          "The server has no memory to check the password now: try again in a moment.")
            .with_retry_after(1);
    }
    return text.data();
}

bool verify_password(std::string_view password, const std::string& hash) {
    if (sodium_init() < 0) std::abort();
    if (is_bcrypt(hash)) return verify_bcrypt(password, hash);
    if (!hash.starts_with(crypto_pwhash_argon2id_STRPREFIX) || hash.size() >= crypto_pwhash_STRBYTES)
        return false;
    return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

bool needs_rehash(const std::string& hash, const PasswordCost& cost) {
    return !hash.starts_with(crypto_pwhash_argon2id_STRPREFIX) || hash.size() >= crypto_pwhash_STRBYTES ||
           crypto_pwhash_str_needs_rehash(hash.c_str(), cost.operations, cost.memory_bytes) != 0;
}

std::optional<std::string> password_problem(std::string_view password) {
    const auto characters = static_cast<std::size_t>(std::ranges::count_if(
        password, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
    if (characters >= kMinCharacters && characters <= kMaxCharacters) return std::nullopt;
    return "must have " + std::to_string(kMinCharacters) + " to " + std::to_string(kMaxCharacters) +
           " characters";
}

}  // namespace agentdb9::auth

// Random bytes, digests and their text forms. Thin over OpenSSL and libsodium. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace agentdb9::base {

// Fills `out` from the system's random source; ends the process if there is none.
void random_bytes(std::span<unsigned char> out);
// `bytes` random bytes, base64url-encoded.
std::string random_token(std::size_t bytes);

using Sha256 = std::array<unsigned char, 32>;
Sha256 sha256(std::string_view data);
// Only where a protocol names it (RFC 6455); it keeps nothing safe. 20 bytes.
std::string sha1(std::string_view data);
std::string sha256_hex(std::string_view data);
Sha256 hmac_sha256(std::string_view key, std::string_view data);

// RFC 4648 section 5, without padding.
std::string base64url_encode(std::string_view data);
std::string base64url_encode(std::span<const unsigned char> data);
// Absent for characters outside the alphabet, padding, an impossible length or non-zero spare bits.
std::optional<std::string> base64url_decode(std::string_view text);

// RFC 4648 section 4, with padding.
std::string base64_encode(std::string_view data);
// Absent for anything else, line ends among it.
std::optional<std::string> base64_decode(std::string_view text);

std::string hex_encode(std::span<const unsigned char> data);

// Takes the same time wherever the two differ.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace agentdb9::base

#include "base/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <sodium.h>

#include <algorithm>
#include <cstdlib>

namespace agentdb9::base {
namespace {

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

int base64url_value(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '-') return 62;
    if (c == '_') return 63;
    return -1;
}

}  // namespace

void random_bytes(std::span<unsigned char> out) {
    static const bool ready = sodium_init() >= 0;
    if (!ready) std::abort();
    randombytes_buf(out.data(), out.size());
}

std::string random_token(std::size_t bytes) {
    std::string raw(bytes, '\0');
    random_bytes({reinterpret_cast<unsigned char*>(raw.data()), raw.size()});
    return base64url_encode(raw);
}

Sha256 sha256(std::string_view data) {
    Sha256 digest{};
    SHA256(bytes_of(data), data.size(), digest.data());
    return digest;
}

std::string sha1(std::string_view data) {
    std::string digest(SHA_DIGEST_LENGTH, '\0');
    SHA1(bytes_of(data), data.size(), reinterpret_cast<unsigned char*>(digest.data()));
    return digest;
}

std::string sha256_hex(std::string_view data) {
    return hex_encode(sha256(data));
}

Sha256 hmac_sha256(std::string_view key, std::string_view data) {
    Sha256 digest{};
    unsigned int length = 0;
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(data), data.size(),
             digest.data(), &length) == nullptr) {
        std::abort();
    }
    return digest;
}

std::string base64url_encode(std::span<const unsigned char> data) {
    std::string text(sodium_base64_encoded_len(data.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
    sodium_bin2base64(text.data(), text.size(), data.data(), data.size(),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    text.pop_back();  // libsodium counts and writes the terminating zero
    return text;
}

std::string base64url_encode(std::string_view data) {
    return base64url_encode(std::span(bytes_of(data), data.size()));
}

std::optional<std::string> base64url_decode(std::string_view text) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string data;
    data.reserve(text.size() * 3 / 4);
    unsigned int window = 0;
    int bits = 0;
    for (const char c : text) {
        const int value = base64url_value(c);
        if (value < 0) return std::nullopt;
        window = (window << 6) | static_cast<unsigned int>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            data.push_back(static_cast<char>((window >> bits) & 0xff));
        }
    }
    if ((window & ((1U << bits) - 1)) != 0) return std::nullopt;
    return data;
}

std::string base64_encode(std::string_view data) {
    std::string text(sodium_base64_encoded_len(data.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(text.data(), text.size(), bytes_of(data), data.size(), sodium_base64_VARIANT_ORIGINAL);
    text.pop_back();
    return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
    // libsodium takes some of these for digits (1.0.18).
    if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
        return std::nullopt;
    std::string data(text.size() / 4 * 3, '\0');
    std::size_t size = 0;
    const char* end = nullptr;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(data.data()), data.size(), text.data(),
                          text.size(), nullptr, &size, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != text.data() + text.size()) {
        return std::nullopt;
    }
    data.resize(size);
    return data;
}

std::string hex_encode(std::span<const unsigned char> data) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string text;
    text.reserve(data.size() * 2);
    for (const unsigned char byte : data) {
        text.push_back(kHex[byte >> 4]);
        text.push_back(kHex[byte & 0x0f]);
    }
    return text;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace agentdb9::base

#include "websocket.hpp"

#include <openssl/evp.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <random>

namespace agentdb9::bench {
namespace {

constexpr std::size_t kMaxPayload = 1 << 20;
constexpr std::size_t kMaxHead = 16 * 1024;

std::string base64(const unsigned char* bytes, std::size_t size) {
    std::string text((size + 2) / 3 * 4, '\0');
    ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size));
    return text;
}

std::string make_key() {
    static std::mt19937 random{std::random_device{}()};
    std::array<unsigned char, 16> bytes{};
    for (auto& byte : bytes)
        byte = static_cast<unsigned char>(random());
    return base64(bytes.data(), bytes.size());
}

// Up to and with the empty line; empty where it does not come.
std::string receive_head(const Fd& fd) {
    std::string head;
    std::array<char, 4096> buffer{};
    while (!head.contains("\r\n\r\n") && head.size() < kMaxHead) {
        const auto size = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
        if (size <= 0) return {};
        head.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return head;
}

}  // namespace

std::string accept_of(std::string_view key) {
    const auto text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha1(), nullptr);
    return base64(digest.data(), size);
}

void apply_mask(char* payload, std::size_t size, const char* mask) {
    std::size_t i = 0;
    std::uint64_t wide = 0;
    std::memcpy(&wide, mask, 4);
    std::memcpy(reinterpret_cast<char*>(&wide) + 4, mask, 4);
    for (; i + 8 <= size; i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, payload + i, 8);
        word ^= wide;
        std::memcpy(payload + i, &word, 8);
    }
    for (; i < size; ++i)
        payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload,
                  std::optional<std::uint32_t> mask) {
    const char masked = mask ? '\x80' : '\0';
    out += static_cast<char>(0x80 | static_cast<unsigned>(opcode));
    const auto size = payload.size();
    if (size < 126) {
        out += static_cast<char>(masked | static_cast<char>(size));
    } else {
        const int bytes = size < 65536 ? 2 : 8;
        out += static_cast<char>(masked | static_cast<char>(bytes == 2 ? 126 : 127));
        for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
            out += static_cast<char>(size >> shift & 0xff);
    }
    if (!mask) {
        out += payload;
        return;
    }
    std::array<char, 4> key{};
    std::memcpy(key.data(), &*mask, key.size());
    out.append(key.data(), key.size());
    const auto place = out.size();
    out += payload;
    apply_mask(out.data() + place, size, key.data());
}

FrameState read_frame(std::string_view bytes, FrameView& frame) {
    if (bytes.size() < 2) return FrameState::kPartial;
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    if ((at(0) & 0xf0) != 0x80) return FrameState::kInvalid;
    frame.opcode = static_cast<Opcode>(at(0) & 0x0f);
    const unsigned short_size = at(1) & 0x7f;
    const std::size_t extra = short_size == 126 ? 2 : short_size == 127 ? 8 : 0;
    const bool masked = (at(1) & 0x80) != 0;
    frame.head_bytes = 2 + extra + (masked ? 4 : 0);
    if (bytes.size() < frame.head_bytes) return FrameState::kPartial;
    std::uint64_t size = extra == 0 ? short_size : 0;
    for (std::size_t i = 0; i < extra; ++i)
        size = size << 8 | at(2 + i);
    if (size > kMaxPayload) return FrameState::kInvalid;
    frame.payload_bytes = size;
    frame.mask = masked ? bytes.data() + 2 + extra : nullptr;
    return bytes.size() < frame.bytes() ? FrameState::kPartial : FrameState::kWhole;
}

Fd open_websocket(std::uint16_t port, std::string_view target, std::string_view token, std::string& error) {
    auto fd = connect_to(port);
    const auto key = make_key();
    const auto request = "GET " + std::string(target) +
                         " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                         "\r\nAuthorization: Bearer " + std::string(token) +
                         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: " +
                         key + "\r\n\r\n";
    if (!fd || !send_all(fd, request)) {
        error = "cannot connect";
        return Fd();
    }
    const auto head = receive_head(fd);
    if (head.starts_with("HTTP/1.1 101 ") && head.ends_with("\r\n\r\n") && head.contains(accept_of(key)))
        return fd;
    error = head.empty() ? "no answer to the handshake" : "handshake: " + head.substr(0, head.find("\r\n"));
    return Fd();
}

}  // namespace agentdb9::bench

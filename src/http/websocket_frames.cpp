#include "http/websocket_frames.hpp"

#include <array>

#include "base/crypto.hpp"
#include "base/utf8.hpp"
#include "http/message.hpp"

namespace agentdb9::http {
namespace {

constexpr unsigned kLast = 0x80;
constexpr unsigned kReserved = 0x70;
constexpr unsigned kOpcode = 0x0f;
constexpr unsigned kMask = 0x80;
constexpr unsigned kLength = 0x7f;
constexpr unsigned kContinuation = 0;
constexpr unsigned kText = 1;
constexpr unsigned kBinary = 2;
constexpr unsigned kClose = 8;
constexpr unsigned kPing = 9;
constexpr unsigned kPong = 10;
constexpr std::size_t kMostOfControl = 125;
constexpr std::size_t kKeyBytes = 16;
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

unsigned opcode_of(WebSocketMessage::Kind kind) {
    switch (kind) {
        case WebSocketMessage::Kind::kText:
            return kText;
        case WebSocketMessage::Kind::kBinary:
            return kBinary;
        case WebSocketMessage::Kind::kPing:
            return kPing;
        case WebSocketMessage::Kind::kPong:
            return kPong;
        case WebSocketMessage::Kind::kClose:
            return kClose;
    }
    return kClose;
}

std::array<char, 4> mask_bytes(std::uint32_t mask) {
    std::array<char, 4> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<char>(mask >> (24 - 8 * i));
    return bytes;
}

void apply_mask(char* bytes, std::size_t size, const char* mask) {
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<char>(bytes[i] ^ mask[i % 4]);
}

std::string head(WebSocketMessage::Kind kind, std::size_t size, bool masked) {
    std::string out;
    out += static_cast<char>(kLast | opcode_of(kind));
    const unsigned bit = masked ? kMask : 0;
    const auto bytes = [&](int count) {
        for (int shift = 8 * (count - 1); shift >= 0; shift -= 8)
            out += static_cast<char>(size >> shift);
    };
    if (size <= kMostOfControl) {
        out += static_cast<char>(bit | size);
    } else if (size <= 0xffff) {
        out += static_cast<char>(bit | 126);
        bytes(2);
    } else {
        out += static_cast<char>(bit | 127);
        bytes(8);
    }
    return out;
}

// Section 7.4: those that a peer may send.
bool is_close_code(unsigned code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto length = base::utf8_character_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace

std::optional<WebSocketReader::Header> WebSocketReader::read_header() {
    if (pending_.size() < 2) return std::nullopt;
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(pending_[i]); };
    Header header;
    header.last = (at(0) & kLast) != 0;
    header.opcode = at(0) & kOpcode;
    header.masked = (at(1) & kMask) != 0;
    const unsigned length = at(1) & kLength;
    const std::size_t extended = length == 127 ? 8 : length == 126 ? 2 : 0;
    header.size = 2 + extended + (header.masked ? 4 : 0);
    if (pending_.size() < header.size) return std::nullopt;
    header.length = extended == 0 ? length : 0;
    for (std::size_t i = 0; i < extended; ++i)
        header.length = header.length << 8 | at(2 + i);
    return header;
}

bool WebSocketReader::is_allowed(const Header& header) {
    // Nothing was agreed on that would give these bits a meaning.
    if ((static_cast<unsigned char>(pending_[0]) & kReserved) != 0) return false;
    // Section 5.1: a client masks, a server does not.
    if (header.masked != (side_ == WebSocketSide::kServer)) return false;
    switch (header.opcode) {
        case kContinuation:
            return opcode_ != 0;
        case kText:
        case kBinary:
            return opcode_ == 0;
        case kClose:
        case kPing:
        case kPong:
            return header.last && header.length <= kMostOfControl;
        default:
            return false;
    }
}

std::optional<WebSocketMessage> WebSocketReader::fail(std::uint16_t code) {
    failure_ = code;
    pending_.clear();
    message_.clear();
    return std::nullopt;
}

std::optional<WebSocketMessage> WebSocketReader::next() {
    while (failure_ == 0) {
        const auto header = read_header();
        // Broken rules need no whole frame to be seen.
        if (pending_.size() >= 2 && header && !is_allowed(*header)) return fail(1002);
        if (!header) return std::nullopt;
        const bool control = header->opcode >= kClose;
        if (!control && header->length > most_ - message_.size()) return fail(1009);
        if (pending_.size() - header->size < header->length) return std::nullopt;
        auto payload = pending_.substr(header->size, static_cast<std::size_t>(header->length));
        if (header->masked) apply_mask(payload.data(), payload.size(), pending_.data() + header->size - 4);
        pending_.erase(0, header->size + payload.size());
        if (auto message = take(*header, std::move(payload))) return message;
    }
    return std::nullopt;
}

std::optional<WebSocketMessage> WebSocketReader::take(const Header& header, std::string payload) {
    using Kind = WebSocketMessage::Kind;
    if (header.opcode == kPing) return WebSocketMessage{Kind::kPing, std::move(payload)};
    if (header.opcode == kPong) return WebSocketMessage{Kind::kPong, std::move(payload)};
    if (header.opcode == kClose) {
        if (payload.empty()) return WebSocketMessage{Kind::kClose, {}};
        if (payload.size() < 2) return fail(1002);
        const unsigned code = static_cast<unsigned>(static_cast<unsigned char>(payload[0])) << 8 |
                              static_cast<unsigned char>(payload[1]);
        if (!is_close_code(code)) return fail(1002);
        payload.erase(0, 2);
        if (!is_utf8(payload)) return fail(1007);
        return WebSocketMessage{Kind::kClose, std::move(payload), static_cast<std::uint16_t>(code)};
    }
    if (header.opcode != kContinuation) opcode_ = header.opcode;
    message_ += payload;
    if (!header.last) return std::nullopt;
    WebSocketMessage whole{opcode_ == kText ? Kind::kText : Kind::kBinary, std::move(message_)};
    message_.clear();
    opcode_ = 0;
    if (whole.kind == Kind::kText && !is_utf8(whole.bytes)) return fail(1007);
    return whole;
}

std::string websocket_frame(WebSocketMessage::Kind kind, std::string_view payload) {
    return head(kind, payload.size(), false).append(payload);
}

std::string websocket_frame(WebSocketMessage::Kind kind, std::string_view payload, std::uint32_t mask) {
    auto out = head(kind, payload.size(), true);
    const auto bytes = mask_bytes(mask);
    out.append(bytes.data(), bytes.size());
    const auto begin = out.size();
    out.append(payload);
    apply_mask(out.data() + begin, payload.size(), bytes.data());
    return out;
}

std::optional<std::string> websocket_accept(std::string_view key) {
    const auto raw = base::base64_decode(trim(key));
    if (!raw || raw->size() != kKeyBytes) return std::nullopt;
    return base::base64_encode(base::sha1(std::string(trim(key)).append(kGuid)));
}

}  // namespace agentdb9::http

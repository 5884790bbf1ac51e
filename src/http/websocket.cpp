#include "http/websocket.hpp"

#include <algorithm>

namespace agentdb9::http {
namespace {

constexpr unsigned kOpcodeMask = 0x0f;
constexpr unsigned kOpcodeClose = 0x08;
constexpr unsigned kMaskBit = 0x80;
constexpr unsigned kLengthMask = 0x7f;
constexpr unsigned kLength16 = 126;
constexpr unsigned kLength64 = 127;

std::size_t length_bytes(unsigned char second) {
    auto length = second & kLengthMask;
    return length == kLength64 ? 8 : length == kLength16 ? 2 : 0;
}

}  // namespace

void WebSocketFrameTracker::feed(std::string_view bytes) {
    while (!bytes.empty())
        bytes.remove_prefix(feed_to_boundary(bytes));
}

std::size_t WebSocketFrameTracker::feed_to_boundary(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size()) {
        if (payload_left_ > 0) {
            auto skipped =
                static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, bytes.size() - used));
            payload_left_ -= skipped;
            used += skipped;
        } else {
            take_header_byte(static_cast<unsigned char>(bytes[used++]));
        }
        if (at_boundary()) break;
    }
    return used;
}

void WebSocketFrameTracker::take_header_byte(unsigned char byte) {
    header_[header_size_++] = byte;
    if (header_size_ < 2) return;
    auto extended = length_bytes(header_[1]);
    auto whole = 2 + extended + ((header_[1] & kMaskBit) != 0 ? 4U : 0U);
    if (header_size_ < whole) return;
    payload_left_ = extended == 0 ? header_[1] & kLengthMask : 0;
    for (std::size_t i = 0; i < extended; ++i)
        payload_left_ = payload_left_ << 8 | header_[2 + i];
    if ((header_[0] & kOpcodeMask) == kOpcodeClose) close_seen_ = true;
    header_size_ = 0;
}

std::string websocket_close_frame(std::uint16_t code, std::string_view reason) {
    std::string frame;
    frame += static_cast<char>(kMaskBit | kOpcodeClose);
    frame += static_cast<char>(reason.size() + 2);
    frame += static_cast<char>(code >> 8);
    frame += static_cast<char>(code & 0xff);
    frame += reason;
    return frame;
}

}  // namespace agentdb9::http

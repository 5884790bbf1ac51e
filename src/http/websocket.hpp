// Where a stream of WebSocket frames (RFC 6455 section 5.2) stands between two of them: there a frame of our
// own may go. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace agentdb9::http {

class WebSocketFrameTracker {
  public:
    // Bytes that have passed, in order.
    void feed(std::string_view bytes);
    // The same, up to the first boundary behind at least one byte: how many those are, all of them where
    // there is none.
    std::size_t feed_to_boundary(std::string_view bytes);
    // Nothing has begun that has not ended.
    bool at_boundary() const { return header_size_ == 0 && payload_left_ == 0; }
    // A close frame has passed: nothing may follow it.
    bool close_seen() const { return close_seen_; }

  private:
    void take_header_byte(unsigned char byte);

    std::array<unsigned char, 14> header_{};
    std::size_t header_size_ = 0;
    std::uint64_t payload_left_ = 0;
    bool close_seen_ = false;
};

// An unmasked close frame, as a server sends it. `reason`: at most 123 bytes.
std::string websocket_close_frame(std::uint16_t code, std::string_view reason);

}  // namespace agentdb9::http

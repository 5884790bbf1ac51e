// WebSocket as both ends of this bench speak it (RFC 6455): handshakes and whole binary frames. Pure, but for
// open_websocket().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "socket.hpp"

namespace agentdb9::bench {

enum class Opcode : std::uint8_t { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

// Section 4.2.2: what a server answers to a key.
std::string accept_of(std::string_view key);

// Section 5.2. With a mask: a client's frame, masked anew (section 5.3). Without: a server's.
void append_frame(std::string& out, Opcode opcode, std::string_view payload,
                  std::optional<std::uint32_t> mask);
// XORs `payload` with the mask as it stands on the wire.
void apply_mask(char* payload, std::size_t size, const char* mask);

struct FrameView {
    Opcode opcode = Opcode::kBinary;
    const char* mask = nullptr;  // four bytes; null for an unmasked frame
    std::size_t head_bytes = 0;
    std::size_t payload_bytes = 0;
    std::size_t bytes() const { return head_bytes + payload_bytes; }
};
enum class FrameState { kWhole, kPartial, kInvalid };
// The frame that `bytes` begin with. Fragments, reserved bits and more than a megabyte are invalid: nobody
// here sends any.
FrameState read_frame(std::string_view bytes, FrameView& frame);

// Connects and shakes hands, blocking; an invalid Fd and `error` where that fails. Checks the status and the
// accept key.
Fd open_websocket(std::uint16_t port, std::string_view target, std::string_view token, std::string& error);

}  // namespace agentdb9::bench

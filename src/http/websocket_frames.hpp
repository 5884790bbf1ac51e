// WebSocket frames (RFC 6455 section 5), read and written, for a conversation that ends here; what is only
// relayed needs websocket.hpp alone. Pure; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agentdb9::http {

enum class WebSocketSide { kServer, kClient };

struct WebSocketMessage {
    enum class Kind { kText, kBinary, kPing, kPong, kClose };
    Kind kind = Kind::kBinary;
    std::string bytes;          // of a close: its reason
    std::uint16_t code = 1005;  // of a close; 1005: it names none

    bool is_control() const { return kind != Kind::kText && kind != Kind::kBinary; }
};

// Takes the other side's bytes, cut anywhere, and gives whole messages.
class WebSocketReader {
  public:
    // `reads_for`: which side this is. `most`: bytes of one message.
    WebSocketReader(WebSocketSide reads_for, std::size_t most) : side_(reads_for), most_(most) {}

    void push(std::string_view bytes) { pending_ += bytes; }
    // Absent: it takes more bytes, or failure() says why there is none ever more.
    std::optional<WebSocketMessage> next();
    // The close code for what broke the rules: 1002, 1007 or 1009; 0: nothing did.
    std::uint16_t failure() const { return failure_; }

  private:
    struct Header {
        bool last = false;
        unsigned opcode = 0;
        bool masked = false;
        std::uint64_t length = 0;
        std::size_t size = 0;
    };
    std::optional<Header> read_header();
    bool is_allowed(const Header& header);
    std::optional<WebSocketMessage> fail(std::uint16_t code);
    std::optional<WebSocketMessage> take(const Header& header, std::string payload);

    WebSocketSide side_;
    std::size_t most_;
    std::string pending_;
    std::string message_;  // the fragments so far
    unsigned opcode_ = 0;  // of the message that they are; 0: none is open
    std::uint16_t failure_ = 0;
};

// One frame. A client's is masked by `mask`, four bytes that nobody can foresee; a server's is not.
std::string websocket_frame(WebSocketMessage::Kind kind, std::string_view payload);
std::string websocket_frame(WebSocketMessage::Kind kind, std::string_view payload, std::uint32_t mask);

// Sec-WebSocket-Accept for this Sec-WebSocket-Key (section 4.2.2); absent where that is no key.
std::optional<std::string> websocket_accept(std::string_view key);

}  // namespace agentdb9::http

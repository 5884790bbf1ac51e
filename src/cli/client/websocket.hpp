// A WebSocket to a server (RFC 6455), over a connection that libcurl makes: its certificates, its proxies.
// Main thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/client/http.hpp"
#include "http/websocket_frames.hpp"

namespace agentdb9::cli::client {

class WebSocket {
  public:
    struct Opened {
        std::unique_ptr<WebSocket> socket;  // null: it was refused
        HttpAnswer answer;
    };
    // `url`: whole, http or https. `limit`: until it is open. Ends with kCancelled, within a second or so,
    // once `cancelled`, which throws nothing, is true.
    static std::expected<Opened, HttpFailure> open(const std::string& url,
                                                   const std::vector<std::string>& headers,
                                                   const std::string& ca_file,
                                                   std::chrono::milliseconds limit,
                                                   const std::function<bool()>& cancelled);
    WebSocket(const WebSocket&) = delete;
    WebSocket& operator=(const WebSocket&) = delete;
    ~WebSocket();

    // To be polled for reading; next() is to be asked before that, for what has come already.
    int descriptor() const;
    // What has come, without waiting. Absent: nothing yet, or lost() says that it is over. Pings and a close
    // are answered.
    std::optional<http::WebSocketMessage> next();
    // Waits until all is sent. False: it is lost.
    bool send(http::WebSocketMessage::Kind kind, std::string_view bytes);
    bool lost() const { return lost_; }

  private:
    class Line;
    explicit WebSocket(std::unique_ptr<Line> line);
    void answer_close(std::uint16_t code);

    std::unique_ptr<Line> line_;
    http::WebSocketReader reader_;
    bool lost_ = false;
};

}  // namespace agentdb9::cli::client

// One connection to a terminal, as WebSocket frames (RFC 6455): binary messages are the terminal's bytes,
// both ways; text messages are JSON, one object each.
//
//   server  {"type":"ready","session","offset","received","skipped","columns","rows"}   at first
//           {"type":"skipped","bytes"}                 output that there was no room for
//           {"type":"exit","exitCode","endedBy","leftRunning"}   the last one, before a close frame: once the
//                                                      client answers that, nobody else is told of the end
//           {"type":"error","message"}                 what the client said is not understood; it goes on
//   client  {"type":"resize","columns","rows"}
//           {"type":"ack","offset"}                    it has all output before; from the first one on, what
//                                                      it does not have is kept for it
//           {"type":"end"}                             hang up: the program is ended
//
// Control executor, but for the end of its life, which may come on any thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "http/websocket_frames.hpp"
#include "services/terminal.hpp"

namespace agentdb9::api {

class TerminalLink {
  public:
    // Close codes of our own (RFC 6455 section 7.4.2), and those of the protocol.
    static constexpr std::uint16_t kTakenOver = 4001;
    static constexpr std::uint16_t kEnded = 1000;
    static constexpr std::uint16_t kGoingAway = 1001;
    static constexpr std::uint16_t kSignedOut = 1008;
    static constexpr std::size_t kMostOfMessage = std::size_t{64} << 10;

    TerminalLink(base::Clock& clock, std::shared_ptr<services::TerminalAttachment> attachment,
                 std::optional<std::uint64_t> after);

    // Whole frames for the client. Absent: it is over.
    Task<std::optional<std::string>> next();
    // What the client sent, cut anywhere; returns once it has been taken. False: nothing more is read.
    Task<bool> take(std::string bytes);
    // Ends with a close frame.
    void close(std::uint16_t code, std::string_view reason);

  private:
    std::string ready();
    std::optional<std::string> output();
    std::string last_frames();
    Task<> something_to_say();
    Task<> end_to_be_heard();
    Task<bool> take_message(http::WebSocketMessage message);
    Task<> obey(std::string_view text);
    void reply(std::string frame);
    void complain(std::string_view message);

    base::Clock& clock_;
    std::shared_ptr<services::TerminalAttachment> attachment_;
    std::shared_ptr<services::Terminal> terminal_;
    http::WebSocketReader reader_;
    std::optional<std::uint64_t> after_;
    std::uint64_t sent_ = 0;
    bool begun_ = false;
    bool acknowledges_ = false;
    std::optional<base::SteadyTime> end_said_at_;
    bool over_ = false;
    std::deque<std::string> replies_;
    std::optional<std::string> close_;
    std::optional<base::SteadyTime> asked_at_;  // the first ping since the client was last heard
};

// What a client may ask for; absent for anything else.
std::optional<runtime::TerminalSize> terminal_size(std::int64_t columns, std::int64_t rows);

}  // namespace agentdb9::api

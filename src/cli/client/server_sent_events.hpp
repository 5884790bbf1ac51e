// Reads server-sent events (WHATWG HTML, section 9.2) out of pieces of a stream, cut anywhere. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace agentdb9::cli::client {

struct ServerSentEvent {
    std::string name;  // "message" where the stream names none
    std::string id;    // of the last event that had one
    std::string data;

    // An empty object where it is none.
    json::object object() const;
};

class ServerSentEvents {
  public:
    explicit ServerSentEvents(std::function<void(const ServerSentEvent&)> on_event)
        : on_event_(std::move(on_event)) {}

    // False once one event is larger than any of this API's: it is no such stream.
    bool push(std::string_view bytes);
    // What began and has not ended is none.
    void reset();

  private:
    void take_line(std::string_view line);

    std::function<void(const ServerSentEvent&)> on_event_;
    std::string line_;
    ServerSentEvent event_;
    bool has_data_ = false;
};

}  // namespace agentdb9::cli::client

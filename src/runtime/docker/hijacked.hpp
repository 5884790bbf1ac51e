// A connection to the engine after a call that turns it into bytes both ways (Engine API, "ExecStart":
// hijacking). Control executor. What breaks throws Error{kUnavailable, "runtime_unavailable"}.
#pragma once

#include <memory>
#include <span>

#include "runtime/docker/engine_connection.hpp"

namespace agentdb9::runtime::docker {

class Hijacked {
  public:
    explicit Hijacked(std::unique_ptr<EngineClient::Connection> connection);
    ~Hijacked();

    // At least one byte; 0 after the last. A read that is cancelled loses nothing.
    Task<std::size_t> read(std::span<char> room);
    // False: the other side takes nothing more.
    Task<bool> write(std::span<const char> bytes);
    // The other side reads an end; it may go on sending.
    void shutdown_send();

  private:
    std::unique_ptr<EngineClient::Connection> connection_;
};

}  // namespace agentdb9::runtime::docker

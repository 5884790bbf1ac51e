// A unix socket in front of an engine's, whose connections a test can break: what a restart of the engine
// does to its clients, without one.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "base/async.hpp"

namespace agentdb9::test {

class EngineRelay {
  public:
    EngineRelay(asio::io_context& context, std::string engine_socket);
    ~EngineRelay();

    std::string host() const;
    // Breaks all connections; new ones are relayed again.
    void break_all();

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace agentdb9::test

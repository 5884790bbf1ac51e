// How a command reaches the operator API: through the running server's socket, so that the server's caches
// hear of every change; where no server runs, by the same code in this process, as the data directory's one
// owner. Blocks; one thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/json.hpp"
#include "config/configuration.hpp"

namespace agentdb9::cli {

struct OperatorAnswer {
    json::value data;
    std::string message;  // the API's sentence, where it has one
};

class OperatorClient {
  public:
    // Does nothing yet. `patience`: how long a running server may take to answer.
    OperatorClient(config::Configuration configuration, std::chrono::milliseconds patience);
    ~OperatorClient();

    // `target` is what follows "/operator". Throws base::Error: what the API answered; kNotFound
    // "no_installation" when the data directory holds none; kUnavailable "server_silent" when a server runs
    // but does not answer.
    OperatorAnswer call(const std::string& method, const std::string& target, const json::object& body = {});

  private:
    class Local;

    void become_owner();

    config::Configuration configuration_;
    std::chrono::milliseconds patience_;
    std::unique_ptr<Local> local_;
};

}  // namespace agentdb9::cli

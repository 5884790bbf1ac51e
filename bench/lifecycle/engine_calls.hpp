// The engine's calls with nothing around them: a blocking unix socket, one kept connection, no checks beyond
// the status. What DockerRuntime is measured against.
#pragma once

#include <string>
#include <string_view>

namespace agentdb9::bench {

class EngineCalls {
  public:
    explicit EngineCalls(const std::string& socket_path);
    ~EngineCalls();
    EngineCalls(const EngineCalls&) = delete;
    EngineCalls& operator=(const EngineCalls&) = delete;

    // The body of the answer; throws std::runtime_error for a status of 400 and above.
    std::string call(std::string_view method, std::string_view target, std::string_view body = {});

  private:
    void fill();
    int fd_ = -1;
    std::string buffer_;
};

// One GET on a new connection: is the answer's status below 500?
bool answers(const std::string& address, int port, std::string_view path);

}  // namespace agentdb9::bench

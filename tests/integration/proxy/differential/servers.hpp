// nginx and HAProxy as upstreams: each one process with a configuration of its own in a temporary directory,
// listening on unix sockets there (no port that another could take), before a recorder for each lane.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace agentdb9::test {

class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

// Ended with this object, and with the thread that made it.
class Process {
  public:
    // Looked for where the system's programs lie. Its output goes to `log`. Throws std::runtime_error with a
    // sentence when it is not installed.
    Process(const std::string& program, const std::vector<std::string>& arguments,
            const std::filesystem::path& log);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

  private:
    int pid_ = -1;
};

enum class Peer { kNginx, kHaproxy };
inline constexpr Peer kPeers[] = {Peer::kNginx, Peer::kHaproxy};
const char* name_of(Peer peer);

class Server {
  public:
    // Lane i is relayed to 127.0.0.1:`recorders`[i]. Returns when it accepts; throws std::runtime_error when
    // it does not.
    Server(Peer peer, const std::vector<std::uint16_t>& recorders);
    // Where lane `lane` is reached.
    std::string socket(std::size_t lane) const;

  private:
    TemporaryDirectory directory_;
    Process process_;
};

}  // namespace agentdb9::test

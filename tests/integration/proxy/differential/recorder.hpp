// An upstream that records, and a client that talks to what stands before it: both on the caller's thread, by
// one poll(2), so that what was recorded is known when the client has its answers.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../peers.hpp"
#include "wire.hpp"

struct pollfd;

namespace agentdb9::test {

// Listens on a free port of 127.0.0.1. Answers each request that is whole, and keeps the connection.
class Recorder {
  public:
    Recorder();
    ~Recorder();
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    std::uint16_t port() const { return port_; }
    // For poll(2), and what to do with its result.
    void add_to(std::vector<pollfd>& polled) const;
    void serve(const std::vector<pollfd>& polled);

    // One connection of an upstream's.
    struct Connected {
        int fd = -1;  // -1: closed by the other side
        RequestReader reader;
        std::vector<Seen> seen;
    };
    // All connections, in the order in which they were accepted.
    const std::list<Connected>& connections() const { return connections_; }
    // Every request since the last take(), in the order in which they were whole.
    const std::vector<Seen>& seen() const { return seen_; }
    // Every request since the last call, in the order in which they were whole. The connections forget
    // theirs.
    std::vector<Seen> take();
    // Something began and did not end, on a connection that is still open.
    bool in_the_middle() const;
    // Closes all.
    void reset();

  private:
    void accept_all();
    void read(Connected& connected);

    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::list<Connected> connections_;
    std::vector<Seen> seen_;
};

struct Exchanged {
    std::vector<Answer> answers;  // the final ones
    std::string text;             // all that came
    bool in_time = true;          // false: nothing happened for too long
};
// Sends the segments; once so many final answers have come, closes its half and reads to the end. `recorder`
// is served meanwhile, and afterwards until what it has to read is read.
Exchanged exchange(Connection client, const std::vector<std::string_view>& segments, std::size_t answers,
                   Recorder& recorder);

}  // namespace agentdb9::test

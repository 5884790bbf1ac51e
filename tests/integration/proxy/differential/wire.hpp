// Requests as they stand in bytes, read by a parser that shares nothing with the one that is tested. It reads
// on where it can, and says what was doubtful.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agentdb9::test {

// What one side took for a request.
struct Seen {
    std::string method;
    std::string target;
    std::string id;    // its X-Request-Id
    std::string body;  // without the framing
    // As it stood there: the head with its empty line, and the body with its framing.
    std::string head;
    std::string raw_body;
    // Why another reader might take it for something else; empty: nothing.
    std::string doubt;
};

// One connection's requests, one after the other.
class RequestReader {
  public:
    // Every request that is whole by now.
    std::vector<Seen> feed(std::string_view bytes);
    // The head of the request that has begun and not ended, its body empty.
    std::optional<Seen> begun() const;
    bool in_the_middle() const { return !rest_.empty(); }
    // Why what follows the last whole request is none; empty: it may become one.
    const std::string& broken() const { return broken_; }
    // Everything since the last forget().
    const std::string& raw() const { return raw_; }
    void forget() { raw_.clear(); }

  private:
    std::optional<Seen> take();

    std::string raw_;
    std::string rest_;
    std::string broken_;
};

// The same head with a request line that no server objects to, without Host and what else is a matter of
// taste: what says where the body ends is as it was.
std::string plain_head(std::string_view head);

// A client's view: the final answers on a connection.
struct Answer {
    int status = 0;
    bool recorded = false;  // made by a Recorder: the request came through
};
inline constexpr std::string_view kRecorded = "X-Recorded: 1\r\n";
// By their status lines, which occur in no body of a test's.
std::vector<Answer> final_answers(std::string_view text);

// For people: a line for each line of the bytes, what does not print as an escape.
std::string readable(std::string_view bytes);

}  // namespace agentdb9::test

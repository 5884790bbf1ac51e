// The engine's output of a container as lines (Engine API, "ContainerLogs", with timestamps=1): frames of one
// byte stream, three of zero, four of length (big-endian), each with one entry "TIME text"; or, where the
// container has a terminal, the entries alone. Which of the two is seen by the first byte, for a time begins
// with a digit. Pure; memory is bounded whatever comes.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/monitoring.hpp"

namespace agentdb9::runtime::docker {

class OutputReader {
  public:
    explicit OutputReader(std::function<void(OutputLine)> on_line) : on_line_(std::move(on_line)) {}

    // Any piece of the bytes, cut anywhere.
    void push(std::string_view bytes);
    // After the last: a line without an end is one, too.
    void finish();

  private:
    // A line that is being put together; one for each stream, for their pieces may alternate.
    struct Open {
        bool begun = false;
        OutputLine line;
        std::string time;  // of the piece that is being read, as far as it came
        bool in_time = true;
    };
    Open& open(OutputStream stream) { return open_[stream == OutputStream::kStderr ? 1 : 0]; }
    std::size_t push_framed(std::string_view bytes);
    void take(OutputStream stream, std::string_view text);
    static void add(OutputLine& line, std::string_view text);
    void end_line(Open& open, OutputStream stream);

    std::function<void(OutputLine)> on_line_;
    std::optional<bool> framed_;
    std::string header_;
    std::size_t left_ = 0;  // of the frame
    OutputStream stream_ = OutputStream::kStdout;
    std::array<Open, 2> open_;
};

// "2026-11-29T12:38:04.557846721Z" in nanoseconds since 1970; absent when it is no such time.
std::optional<std::int64_t> read_nanoseconds(std::string_view text);
// For the engine's `since`: "1764419884.557846721".
std::string since_text(std::int64_t ns);
// What is not UTF-8 comes out as U+FFFD, control characters but tab and escape do not come out at all.
std::string as_utf8(std::string_view bytes);

}  // namespace agentdb9::runtime::docker

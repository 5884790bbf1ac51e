// An operation on a workspace, from the request to its end, and how far it is meanwhile. Main thread; blocks
// until the operation has ended, or Ctrl-C.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "cli/client/api.hpp"

namespace agentdb9::cli::client {

// One line for a terminal of `columns`: "Starting ada: waiting for the application, 40 % (12 s)". Pure.
std::string progress_line(std::string_view title, std::string_view phase, std::optional<int> percent,
                          int seconds, std::size_t columns);

// What it is doing, with its place in the line where it waits for its turn: "queued, 2 of 5". Pure.
std::string phase_text(const json::object& operation);

// Ctrl-C, while it lives, is noted and ends nothing.
class Interruption {
  public:
    Interruption();
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;
    ~Interruption();
    static bool happened();
};

// A line that is written over and over on standard error, where standard output and error are terminals;
// nothing elsewhere.
class Progress {
  public:
    explicit Progress(std::string title);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress() { clear(); }
    bool live() const { return live_; }
    void show(std::string_view phase, std::optional<int> percent, int seconds);
    void clear();

  private:
    std::string title_;
    bool live_;
    bool shown_ = false;
};

enum class Ending { kDone, kInterrupted };

// Follows `operation` (the API's object). Throws base::Error when it failed or was superseded, with the
// operation's own code and sentence; {kUnavailable, "runtime_unavailable"} when the server's engine does not
// answer, and {kUnavailable, "server_lost"} when the server has not answered for as long as one call may
// take.
Ending follow(Api& api, const json::object& operation, Progress& progress);

}  // namespace agentdb9::cli::client

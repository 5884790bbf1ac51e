// The terminal that this program runs on, handed to another program's: each key as it is pressed, no echo. As
// it was before, once this dies, and before a signal ends the process. One at a time; main thread.
#pragma once

#include <optional>
#include <utility>

namespace agentdb9::cli::client {

class RawTerminal {
  public:
    RawTerminal();
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
    ~RawTerminal();

    // Readable when something happened: wants_end() or size_changed() tells what.
    int descriptor() const;
    void drain();
    // SIGTERM, SIGHUP, SIGINT or SIGQUIT came from elsewhere.
    static bool wants_end();
    // Since it was last asked.
    static bool size_changed();
};

// Columns and rows; absent where standard output is no terminal, or does not know.
std::optional<std::pair<int, int>> window_size();

}  // namespace agentdb9::cli::client

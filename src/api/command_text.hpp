// What a command prints, as JSON: text, in which no character is cut where the output came in pieces, or
// base64, which keeps every byte. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/command_body.hpp"

namespace agentdb9::api {

// Of each stream.
inline constexpr std::size_t kMostCollected = std::size_t{1} << 20;

// All of it, as far as there is room.
class CollectedOutput {
  public:
    explicit CollectedOutput(std::size_t most = kMostCollected) : most_(most) {}
    void add(const services::CommandOutput& output);
    // {exitCode, endedBy, timedOut, stdout, stderr, encoding, truncated, discardedBytes, durationMs …}
    json::object to_json(const services::CommandEnd& end, CommandEncoding encoding) const;

  private:
    std::size_t most_;
    std::array<std::string, 2> texts_;
    std::uint64_t discarded_ = 0;
};

// Piece by piece.
class StreamedOutput {
  public:
    explicit StreamedOutput(CommandEncoding encoding) : encoding_(encoding) {}
    // An event `stdout` or `stderr`; empty where nothing is whole yet.
    std::string event(const services::CommandOutput& output);
    // What was kept back, and the event `exit`.
    std::string last(const services::CommandEnd& end);
    // The same where it is not known how it ended.
    std::string last(const base::Error& error);

  private:
    std::string leftovers();

    CommandEncoding encoding_;
    std::array<std::string, 2> unfinished_;
};

// {exitCode, endedBy, timedOut, leftRunning?, durationMs}
json::object to_json(const services::CommandEnd& end);

}  // namespace agentdb9::api

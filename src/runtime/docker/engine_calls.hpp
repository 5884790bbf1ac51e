// What the calls to the engine cost, for those who operate the server. Streams, which have no end of their
// own, and bodies of any size are not among them. Control executor.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/histogram.hpp"

namespace agentdb9::runtime::docker {

struct EngineCallMeasures {
    enum Outcome : std::uint8_t {
        kAnswered,     // below 400, or 404 and 409, which are answers
        kRefused,      // another status
        kUnavailable,  // it cannot be reached, or breaks off
        kTimeout,
        kGivenUp,  // by whoever called
    };
    static constexpr std::array<std::string_view, 5> kOutcomes{"answered", "refused", "unavailable",
                                                               "timeout", "given_up"};
    base::Histogram took;
    std::array<std::uint64_t, kOutcomes.size()> ended{};
};

// By endpoint, as engine_call_name() has it.
using EngineCalls = std::map<std::string, EngineCallMeasures, std::less<>>;

// "POST /containers/{id}/start" of "POST" and "/containers/4f1c…/start?t=1": of what there are as many as the
// engine has endpoints.
std::string engine_call_name(std::string_view method, std::string_view target);

}  // namespace agentdb9::runtime::docker

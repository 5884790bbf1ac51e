// How far a workspace is that a request may have started: what the control plane tells the data plane, for
// the page that people see meanwhile. A value; any thread.
#pragma once

#include <optional>
#include <string>

#include "model/entities.hpp"

namespace agentdb9::model {

struct Awakening {
    enum class State {
        kStarting,
        kStopping,  // it was being stopped when it was looked at
        kStopped,   // somebody wants it stopped
        kFailed,    // its last start failed, or it ended too often
    };
    State state = State::kStarting;
    std::string workspace;  // its name
    Phase phase = Phase::kQueued;
    std::optional<int> percent;  // of the image's pull
    std::string note;            // a sentence: why it failed, or what it waits for; may be empty
    std::string code;            // the failure's word
    // kFailed, a moment ago: for so long requests start nothing by themselves, seconds.
    std::optional<int> pause_seconds = std::nullopt;
};

}  // namespace agentdb9::model

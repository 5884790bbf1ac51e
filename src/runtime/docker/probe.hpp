// Does an application answer? One try, for `limit` at most. Control executor.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "model/instance.hpp"

namespace agentdb9::runtime::docker {

// With a path: GET it and look at the status line; ready below 500. Without: a connection is enough; with
// `forwarded`, one that is not closed at once, because an engine's forwarder of published ports accepts
// before it knows whether the application does. Never throws but when cancelled.
Task<bool> answers(base::Clock& clock, model::Endpoint endpoint, std::optional<std::string> path,
                   bool forwarded, std::chrono::milliseconds limit);

}  // namespace agentdb9::runtime::docker

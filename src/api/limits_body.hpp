// `resourceLimits` of a request's body: some limits, of which null is the type's again. Pure.
#pragma once

#include <optional>

#include "api/body.hpp"
#include "model/limits.hpp"

namespace agentdb9::api {

// Absent where the body says nothing of them. What is wrong is told to the body; whether a value is within
// its bounds is the service's to say.
std::optional<model::LimitsChange> read_limits(Body& body);

}  // namespace agentdb9::api

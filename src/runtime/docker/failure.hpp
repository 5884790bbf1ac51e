// What an engine's refusal is in the words of runtime.hpp.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "runtime/docker/engine_client.hpp"

namespace agentdb9::runtime::docker {

// kUpstream "runtime_error". `what`: what was tried, for the log.
[[noreturn]] void throw_failure(const EngineAnswer& answer, std::string_view what);
// The same for a call on one container: 404 is kNotFound "instance_not_found".
[[noreturn]] void throw_instance_failure(const EngineAnswer& answer, std::string_view what);
base::Error instance_not_found();
base::Error name_taken(const std::string& name);
base::Error image_unavailable(const std::string& image, const std::string& reason);

// Why a container does not start although nothing is wrong with itself: its network was removed or is there
// twice, or its address is another's or of a subnet that the network does not have any more.
bool network_refused_it(const EngineAnswer& answer);
// The engine has several networks of one name, and does not choose.
bool network_is_ambiguous(const EngineAnswer& answer);

}  // namespace agentdb9::runtime::docker

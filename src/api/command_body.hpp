// What a client asks for when it runs a command. Pure; any thread.
#pragma once

#include "api/body.hpp"
#include "services/execution_service.hpp"

namespace agentdb9::api {

enum class CommandEncoding { kText, kBase64 };

struct CommandBody {
    services::CommandRequest request;
    CommandEncoding encoding = CommandEncoding::kText;
};

// {command, cwd?, env?, timeoutSeconds?, stdin? | stdinBase64?, encoding?}. Throws Error{kInvalid} with all
// that is wrong with it.
CommandBody read_command(Body& body, const services::ExecutionLimits& limits);

// Relative ones are of the project. Absent: it cannot be one.
std::optional<std::string> command_directory(std::string_view text);

}  // namespace agentdb9::api

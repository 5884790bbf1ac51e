// One HTTP exchange on a connection of its own: blocking, with a deadline. For commands that ask a server on
// this machine; its answers are whole and small.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "config/configuration.hpp"

namespace agentdb9::cli {

using Peer = std::variant<std::filesystem::path, config::Address>;  // a unix socket, or TCP

struct ExchangeFailure {
    enum class Kind {
        kNobodyListens,
        kForbidden,  // the socket's owner is somebody else
        kSilent,     // somebody listens, and did not answer in time
        kBroken      // the answer broke off, or is no HTTP
    };
    Kind kind = Kind::kNobodyListens;
    std::string reason;            // the system's words
    std::optional<pid_t> process;  // who listens on a unix socket, once connected
};

struct ExchangeAnswer {
    int status = 0;
    std::string body;
};

// `body`: sent as JSON when it is not empty.
std::expected<ExchangeAnswer, ExchangeFailure> exchange(const Peer& peer, const std::string& method,
                                                        const std::string& target, const std::string& body,
                                                        std::chrono::milliseconds limit);

}  // namespace agentdb9::cli

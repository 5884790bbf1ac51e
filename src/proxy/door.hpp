// Which part of the server a path belongs to: the pure half of the gateway's first step. Views point into the
// path given.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/rewrite.hpp"

namespace agentdb9::proxy {

// Which listener a request came by. Operator: the unix socket.
enum class Origin { kApi, kApplications, kOperator };

using model::parse_port;
using model::parse_rewrite;
using model::Rewrite;

struct Door {
    std::string_view prefix;               // as the client wrote it, without the slash at its end
    std::string_view rest;                 // "/…", or empty where only the slash is missing
    std::string_view workspace;            // not checked; empty for a rewrite
    std::optional<std::string_view> port;  // not checked; absent: the type's
    const Rewrite* rewrite = nullptr;
    bool own_origin = false;  // the host name says which application: no prefix, and no ids here
};

// `path`: without query, as received. Absent: no application is meant, which on the API's origin means the
// API.
std::optional<Door> find_door(Origin origin, std::string_view path, const std::vector<Rewrite>& rewrites);

}  // namespace agentdb9::proxy

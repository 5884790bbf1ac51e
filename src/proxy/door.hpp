// Which part of the server a path belongs to: the pure half of the gateway's first step. Views point into the
// path given.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/instance.hpp"

namespace agentdb9::proxy {

// Which listener a request came by. Operator: the unix socket.
enum class Origin { kApi, kApplications, kOperator };

// A path on the API's origin that means an application: the caller's default workspace of `type`, or a fixed
// upstream.
struct Rewrite {
    std::string prefix;  // "/vscode"
    std::string type;    // empty with an upstream
    std::optional<model::Endpoint> upstream;
};

// What stands in the configuration: "/vscode" = "http://127.0.0.1:8080", or the name of a type. The error is
// a sentence.
std::expected<Rewrite, std::string> parse_rewrite(std::string_view prefix, std::string_view value);

struct Door {
    std::string_view prefix;               // as the client wrote it, without the slash at its end
    std::string_view rest;                 // "/…", or empty where only the slash is missing
    std::string_view workspace;            // not checked; empty for a rewrite
    std::optional<std::string_view> port;  // not checked; absent: the type's
    const Rewrite* rewrite = nullptr;
};

// `path`: without query, as received. Absent: no application is meant, which on the API's origin means the
// API.
std::optional<Door> find_door(Origin origin, std::string_view path, const std::vector<Rewrite>& rewrites);

// 1 to 65535, in decimal, without a sign or leading zero.
std::optional<int> parse_port(std::string_view text);

}  // namespace agentdb9::proxy

// A path on the API's origin that means an application: "/vscode" → the caller's default workspace of a type,
// or a fixed upstream. As the configuration writes it and the proxy follows it. Pure; any thread.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "model/instance.hpp"

namespace agentdb9::model {

struct Rewrite {
    std::string prefix;  // "/vscode"
    std::string type;    // empty with an upstream
    std::optional<Endpoint> upstream;
};

// `value`: the name of a workspace type, or "http://HOST:PORT" (an IPv6 address in brackets; without a port:
// 80). The error is half a sentence that goes on after the prefix: "must …".
std::expected<Rewrite, std::string> parse_rewrite(std::string_view prefix, std::string_view value);
// The value that parse_rewrite() reads.
std::string to_text(const Rewrite& rewrite);

// 1 to 65535, in decimal, without a sign or leading zero.
std::optional<int> parse_port(std::string_view text);

}  // namespace agentdb9::model

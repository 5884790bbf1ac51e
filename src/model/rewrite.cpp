#include "model/rewrite.hpp"

#include <charconv>

namespace agentdb9::model {
namespace {

constexpr std::string_view kScheme = "http://";

bool is_below(std::string_view path, std::string_view parent) {
    return path.starts_with(parent) && (path.size() == parent.size() || path[parent.size()] == '/');
}

std::expected<Endpoint, std::string> parse_authority(std::string_view authority) {
    if (authority.ends_with('/')) authority.remove_suffix(1);
    int port = 80;
    const auto colon = authority.rfind(':');
    if (colon != authority.npos && authority.find(']', colon) == authority.npos) {
        const auto parsed = parse_port(authority.substr(colon + 1));
        if (!parsed) return std::unexpected("must lead to http://HOST:PORT with a port from 1 to 65535");
        port = *parsed;
        authority = authority.substr(0, colon);
    }
    const bool bracketed = authority.starts_with('[') && authority.ends_with(']');
    if (bracketed) authority = authority.substr(1, authority.size() - 2);
    const bool colons = authority.find(':') != authority.npos;
    if (authority.empty() || colons != bracketed || authority.find_first_of("/?#@ []") != authority.npos)
        return std::unexpected("must lead to http://HOST:PORT, without a path or a user");
    return Endpoint{std::string(authority), port};
}

}  // namespace

std::expected<Rewrite, std::string> parse_rewrite(std::string_view prefix, std::string_view value) {
    if (prefix.size() < 2 || prefix.front() != '/' || prefix.back() == '/' ||
        prefix.find_first_of("?# ") != prefix.npos || is_below(prefix, "/api") ||
        is_below(prefix, "/workspace-proxy"))
        return std::unexpected("must be a path like \"/vscode\", outside of /api and /workspace-proxy");
    Rewrite rewrite{std::string(prefix), {}, std::nullopt};
    if (value.starts_with(kScheme)) {
        auto upstream = parse_authority(value.substr(kScheme.size()));
        if (!upstream) return std::unexpected(std::move(upstream.error()));
        rewrite.upstream = std::move(*upstream);
        return rewrite;
    }
    if (value.empty() || value.find_first_of(":/ ") != value.npos)
        return std::unexpected("must lead to a workspace type or to http://HOST:PORT");
    rewrite.type = value;
    return rewrite;
}

std::string to_text(const Rewrite& rewrite) {
    if (!rewrite.upstream) return rewrite.type;
    const auto& [host, port] = *rewrite.upstream;
    const bool six = host.find(':') != host.npos;
    return std::string(kScheme) + (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<int> parse_port(std::string_view text) {
    if (text.empty() || text.front() == '0') return std::nullopt;
    int port = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (ec != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
        return std::nullopt;
    return port;
}

}  // namespace agentdb9::model

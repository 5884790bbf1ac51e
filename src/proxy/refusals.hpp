// Refusals that more than one step of the gateway gives, and addresses that it sends browsers to. Pure; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "proxy/gateway.hpp"

namespace agentdb9::proxy {

inline Refusal refusal(int status, std::string code, std::string message) {
    return {{status, std::move(code), std::move(message), {}}, std::nullopt, {}};
}

inline Refusal unauthenticated(std::string message) {
    auto result = refusal(401, "unauthenticated", std::move(message));
    result.www_authenticate = "Bearer";
    return result;
}

// Another's workspace and none at all: not to be told apart.
inline Refusal no_workspace() {
    auto error = base::not_found("workspace");
    return refusal(404, error.word(), error.message());
}

// What the caller's API token may not open; absent: it may. `workspace`: whose application; absent: none's.
inline std::optional<Refusal> refuse_scope(const auth::Principal& principal,
                                           const std::optional<base::WorkspaceId>& workspace) {
    if (principal.token_scope.is_full()) return std::nullopt;
    auto sentence = model::refuse_application(principal.token_scope, workspace);
    if (!sentence) return std::nullopt;
    return refusal(403, std::string(model::kTokenScope), std::move(*sentence));
}

inline Refusal not_ready() {
    auto result = refusal(503, "workspace_not_ready", "The workspace is starting. Try again in a moment.");
    result.retry_after_seconds = 2;
    return result;
}

inline std::string with_query(std::string path, std::string_view query) {
    if (query.empty()) return path;
    return path + "?" + std::string(query);
}

// A path that a browser takes for one of the same origin: "//host" would be another's.
inline std::string same_origin_path(std::string_view path) {
    const bool other = path.size() > 1 && (path[1] == '/' || path[1] == '\\');
    return (other ? "/." : "") + std::string(path);
}

}  // namespace agentdb9::proxy

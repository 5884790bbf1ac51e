// One request on its way through a handler. Lives in the coroutine that handles it; control executor.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/principal.hpp"
#include "base/async.hpp"
#include "base/error.hpp"
#include "http/message.hpp"
#include "model/life_event.hpp"
#include "store/transaction.hpp"

namespace agentdb9::api {

// Whether a project is assigned to a workspace of the user, or its current one.
using IsProjectOf = std::function<Task<bool>(base::UserId, base::WorkspaceId, base::ProjectId)>;

using Parameters = std::vector<std::pair<std::string, std::string>>;  // name as in the pattern, decoded value

struct Call {
    const http::Request& request;
    Parameters parameters;
    std::optional<auth::Principal> principal;  // present unless the endpoint is public
    const IsProjectOf* is_project_of = nullptr;

    // The path's parameter; empty when the pattern has none of this name.
    std::string_view parameter(std::string_view name) const;
    // The query's parameter, decoded; the first of several. Throws Error{kInvalid, "invalid_field"}.
    std::optional<std::string> query(std::string_view name) const;

    // The path's parameter as an id. Throws Error{kInvalid, "invalid_id"} (400).
    template <class Id>
    Id id(std::string_view name) const {
        auto parsed = Id::parse(parameter(name));
        if (!parsed) refuse_id(name);
        return *parsed;
    }

    // Who is asking. Only in handlers of endpoints that are not public.
    const auth::Principal& user() const { return principal.value(); }

    // The same as it is written into a workspace's life.
    model::Actor actor() const;

    // The one workspace that the caller's API token is for; absent: all of theirs.
    std::optional<base::WorkspaceId> own_workspace() const { return user().token_scope.workspace; }
    // Throws Error{kForbidden, "token_scope"} where the token is for a workspace that the project is not of.
    Task<> require_project_in_scope(base::ProjectId project) const;

    // `?limit=1..1000&cursor=…`. Throws Error{kInvalid, "invalid_field"}.
    store::Page page() const;

  private:
    [[noreturn]] static void refuse_id(std::string_view name);
};

// RFC 3986 section 2.1. Absent for a '%' that two hexadecimal digits do not follow.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

}  // namespace agentdb9::api

// Who beside its owner may use one port of a workspace. A share is a row; what it opens is told by
// sharing_for(), which the data plane asks on each request. Plain values and pure rules; any thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/entities.hpp"

namespace agentdb9::model {

using base::ShareId;

enum class ShareLevel {
    kUsers,   // whoever is signed in
    kPublic,  // everybody
    kLink,    // whoever has the share's link
};

struct Share {
    ShareId id;
    WorkspaceId workspace_id;
    UserId user_id;  // who made it
    int port = 0;
    ShareLevel level = ShareLevel::kUsers;
    Time created_at;
    std::optional<Time> expires_at;  // absent: until it is taken back
    friend bool operator==(const Share&, const Share&) = default;
};

// A share as the data plane reads it.
struct Sharing {
    Share share;
    std::string link;  // of a link: what its cookie says. A secret
    friend bool operator==(const Sharing&, const Sharing&) = default;
};
using Sharings = std::unordered_map<WorkspaceId, std::vector<Sharing>>;

// Somebody who is not the owner.
struct Visitor {
    bool signed_in = false;  // as a user, with a credential that is good for this workspace and port
    std::string link;        // what their cookie of a link says; empty: none
};

bool has_expired(const Share& share, Time now);

// A share that lets `visitor` use `port`; null where there is none.
const Sharing* sharing_for(std::span<const Sharing> sharings, int port, const Visitor& visitor, Time now);

std::string_view to_text(ShareLevel value);
template <>
std::optional<ShareLevel> enum_from_text(std::string_view text);

}  // namespace agentdb9::model

// Who asked for what, from where, and what came of it. Plain values; any thread.
#pragma once

#include <optional>
#include <string>

#include "model/entities.hpp"

namespace agentdb9::model {

using base::AuditId;

struct AuditEntry {
    AuditId id;
    Time at;  // of the answer
    // Absent: somebody who is not known (yet), or the operator.
    std::optional<UserId> user_id;
    std::string who;         // the account's address, as it was then or as it was claimed; "operator"
    std::string credential;  // "session:ID", "token:ID"; empty: none
    std::string address;     // the client's; empty: on this machine
    std::string action;      // verb and pattern: "POST /api/workspaces/:id/start"
    std::string target;      // the path: "/api/workspaces/0c5f…/start"
    int status = 0;          // of the answer
    std::string code;        // of a refusal or failure; empty: none
    std::string request_id;
    friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

// What is looked for; what is absent does not matter.
struct AuditFilter {
    std::optional<std::string> who;     // a user's id, or an account's address in whatever case
    std::optional<std::string> target;  // is in the path: an id, say
    std::optional<Time> since;
    std::optional<Time> until;  // before it
    bool failed = false;        // only what was refused or failed
};

}  // namespace agentdb9::model

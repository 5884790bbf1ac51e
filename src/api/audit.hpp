// What of a request and its answer goes into the audit log. Pure.
#pragma once

#include <optional>

#include "api/api.hpp"
#include "model/audit.hpp"

namespace agentdb9::api {

// Nothing for what changes nothing, for what a client does by itself every few minutes, and for what
// strangers send other than tries to sign in. `operators`: it came by the operator's socket. Of the body only
// the address that somebody claims to be is looked at.
std::optional<model::AuditEntry> audit_entry(const Api::Answered& answered, bool operators);

}  // namespace agentdb9::api

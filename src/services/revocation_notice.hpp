// A revocation as the text that servers on one database tell one another. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/principal.hpp"

namespace agentdb9::services {

std::string to_notice(const auth::Revocation& revocation);
// Absent for another kind of notice.
std::optional<auth::Revocation> revocation_in(std::string_view notice);

}  // namespace agentdb9::services

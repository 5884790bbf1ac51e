#include "services/pending_start.hpp"

namespace agentdb9::services {

void PendingStart::require_permission() const {
    if (!state_->revoked) return;
    throw base::Error(base::ErrorCode::kUnauthenticated, "token_revoked",
                      "The token is no longer valid: its session has ended. Log in again.");
}

PendingStart PendingStarts::add(auth::Principal principal) {
    std::erase_if(all_, [](const auto& each) { return each.expired(); });
    auto state = std::make_shared<PendingStart::State>(std::move(principal));
    all_.push_back(state);
    return PendingStart(std::move(state));
}

void PendingStarts::revoke(const auth::Revocation& revocation) {
    for (const auto& each : all_) {
        const auto state = each.lock();
        if (state && revocation.covers(state->principal)) state->revoked = true;
    }
}

}  // namespace agentdb9::services

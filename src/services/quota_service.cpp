#include "services/quota_service.hpp"

#include "services/quota_rules.hpp"

namespace agentdb9::services {

using store::Transaction;

namespace {

template <class T>
void apply(std::optional<T>& value, const std::optional<std::optional<T>>& change) {
    if (change) value = *change;
}

}  // namespace

QuotaReport QuotaService::read(Transaction& tx, const base::UserId& user) const {
    if (!tx.users().find(user)) throw base::not_found("user");
    return {.of_one = tx.quotas().of_user(user),
            .in_force = quota_of(tx, user, of_all_),
            .use = quota_use(tx, user, catalogue_)};
}

Task<QuotaReport> QuotaService::report(base::UserId user) {
    co_return co_await store_.read([=, this](Transaction& tx) { return read(tx, user); });
}

Task<QuotaReport> QuotaService::change(base::UserId user, QuotaChange change) {
    co_return co_await store_.write([=, this](Transaction& tx) {
        if (!tx.users().find(user)) throw base::not_found("user");
        auto quota = tx.quotas().of_user(user);
        apply(quota.workspaces, change.workspaces);
        apply(quota.running, change.running);
        apply(quota.cpus, change.cpus);
        apply(quota.memory_mb, change.memory_mb);
        apply(quota.volume_bytes, change.volume_bytes);
        tx.quotas().set(user, quota);
        return read(tx, user);
    });
}

}  // namespace agentdb9::services

// What users may have, and how much of it they use. Control executor.
#pragma once

#include "base/clock.hpp"
#include "model/quota.hpp"
#include "model/workspace_type.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

struct QuotaReport {
    model::Quota of_one;    // what the operator set for this user
    model::Quota in_force;  // with what holds for all; absent: no limit
    model::QuotaUse use;
};

// What is absent stays; what is there without a value holds as for all again.
struct QuotaChange {
    std::optional<std::optional<std::int64_t>> workspaces;
    std::optional<std::optional<std::int64_t>> running;
    std::optional<std::optional<double>> cpus;
    std::optional<std::optional<std::int64_t>> memory_mb;
    std::optional<std::optional<std::int64_t>> volume_bytes;
};

class QuotaService {
  public:
    // `of_all`: as the configuration has it.
    QuotaService(store::Store& store, const model::Catalogue& catalogue, model::Quota of_all)
        : store_(store), catalogue_(catalogue), of_all_(of_all) {}

    // Both throw kNotFound for a user who is not there. Less than what is in use is no mistake: what runs
    // goes on.
    Task<QuotaReport> report(base::UserId user);
    Task<QuotaReport> change(base::UserId user, QuotaChange change);

  private:
    QuotaReport read(store::Transaction& tx, const base::UserId& user) const;

    store::Store& store_;
    const model::Catalogue& catalogue_;
    model::Quota of_all_;
};

}  // namespace agentdb9::services

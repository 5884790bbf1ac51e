// The audit log: who asked for what, from where, and what came of it. Control executor.
#pragma once

#include "base/clock.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

class AuditLog {
  public:
    AuditLog(base::Clock& clock, store::Store& store) : clock_(clock), store_(store) {}

    // With the time and an id. Never throws for the database: what happened has happened; what cannot be
    // written goes to the program's own log.
    Task<> record(model::AuditEntry entry);
    // Newest first.
    Task<store::Listing<model::AuditEntry>> find(model::AuditFilter filter, store::Page page);

  private:
    base::Clock& clock_;
    store::Store& store_;
};

}  // namespace agentdb9::services

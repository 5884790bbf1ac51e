#include "services/audit_log.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

namespace agentdb9::services {

Task<> AuditLog::record(model::AuditEntry entry) {
    entry.id = model::AuditId::generate();
    entry.at = clock_.now();
    try {
        co_await store_.write([entry](store::Transaction& tx) { tx.audits().insert(entry); });
    } catch (const base::Error& error) {
        log::error("an entry of the audit log could not be written", {{"reason", error.what()},
                                                                      {"who", entry.who},
                                                                      {"credential", entry.credential},
                                                                      {"address", entry.address},
                                                                      {"action", entry.action},
                                                                      {"target", entry.target},
                                                                      {"status", entry.status},
                                                                      {"requestId", entry.request_id}});
    }
}

Task<store::Listing<model::AuditEntry>> AuditLog::find(model::AuditFilter filter, store::Page page) {
    co_return co_await store_.read(
        [filter, page](store::Transaction& tx) { return tx.audits().find(filter, page); });
}

}  // namespace agentdb9::services

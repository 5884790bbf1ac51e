#include "model/audit.hpp"

#include <array>

#include "store/like.hpp"
#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::AuditEntry;

constexpr std::array kNewestFirst{SortKey{"at", SortKey::Kind::kTime}, SortKey{"id", SortKey::Kind::kId}};

const Table<AuditEntry>& table() {
    static const Table<AuditEntry> table(
        "agentdb9_audit", AuditEntry{.id = nil_id<model::AuditId>()},
        {key<&AuditEntry::id>("id"), column<&AuditEntry::at>("at"), column<&AuditEntry::user_id>("userId"),
         column<&AuditEntry::who>("who"), column<&AuditEntry::credential>("credential"),
         column<&AuditEntry::address>("address"), column<&AuditEntry::action>("action"),
         column<&AuditEntry::target>("target"), column<&AuditEntry::status>("status"),
         column<&AuditEntry::code>("code"), column<&AuditEntry::request_id>("requestId")});
    return table;
}

}  // namespace

void Audits::insert(const AuditEntry& entry) {
    table().insert(db_, entry);
}

Listing<AuditEntry> Audits::find(const model::AuditFilter& filter, const Page& page) {
    std::string condition = "1 = 1";
    std::vector<Value> parameters;
    const auto with = [&](std::string_view before, Value value, std::string_view after) {
        parameters.push_back(std::move(value));
        condition +=
            " AND " + std::string(before) + "$" + std::to_string(parameters.size()) + std::string(after);
    };
    if (filter.who) {
        with(R"(("userId" = )", *filter.who, "");
        parameters.emplace_back(*filter.who);
        condition += R"( OR LOWER("who") = LOWER($)" + std::to_string(parameters.size()) + "))";
    }
    if (filter.target)
        with(R"(LOWER("target") LIKE LOWER()", "%" + literally(*filter.target) + "%", R"() ESCAPE '\')");
    if (filter.since) with(R"("at" >= )", encode(*filter.since), "");
    if (filter.until) with(R"("at" < )", encode(*filter.until), "");
    if (filter.failed) condition += R"( AND "status" >= 400)";
    return table().page(db_, condition, std::move(parameters), kNewestFirst, page);
}

std::int64_t Audits::prune(model::Time before) {
    return db_.execute(R"(DELETE FROM "agentdb9_audit" WHERE "at" < $1)", {encode(before)}).affected;
}

}  // namespace agentdb9::store

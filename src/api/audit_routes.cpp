#include "api/audit_routes.hpp"

#include <algorithm>

#include "api/envelope.hpp"
#include "base/time.hpp"

namespace agentdb9::api {
namespace {

constexpr std::size_t kLongestFilter = 300;

json::value or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object entry_json(const model::AuditEntry& entry) {
    return {{"id", entry.id.view()},
            {"at", base::format_time(entry.at)},
            {"userId", entry.user_id ? json::value(entry.user_id->view()) : json::value(nullptr)},
            {"who", or_null(entry.who)},
            {"credential", or_null(entry.credential)},
            {"address", or_null(entry.address)},
            {"action", entry.action},
            {"target", entry.target},
            {"status", entry.status},
            {"code", or_null(entry.code)},
            {"requestId", entry.request_id}};
}

std::optional<std::string> text_in_query(const Call& call, std::string_view name) {
    auto text = call.query(name);
    if (text && (text->empty() || text->size() > kLongestFilter))
        throw base::invalid_field(std::string(name), "must have 1 to 300 characters");
    if (text && std::ranges::any_of(*text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
        throw base::invalid_field(std::string(name), "must not contain control characters");
    return text;
}

std::optional<base::Time> time_in_query(const Call& call, std::string_view name) {
    const auto text = call.query(name);
    if (!text) return std::nullopt;
    const auto time = base::parse_time(*text);
    if (!time) throw base::invalid_field(std::string(name), "must be a time like 2026-01-31T12:00:00Z");
    return time;
}

Task<http::Response> find(services::AuditLog& audit, Call& call) {
    model::AuditFilter filter{.who = text_in_query(call, "who"),
                              .target = text_in_query(call, "target"),
                              .since = time_in_query(call, "since"),
                              .until = time_in_query(call, "until")};
    if (const auto failed = call.query("failed")) {
        if (*failed != "true" && *failed != "false")
            throw base::invalid_field("failed", "must be true or false");
        filter.failed = *failed == "true";
    }
    const auto found = co_await audit.find(std::move(filter), call.page());
    json::array rows;
    for (const auto& entry : found.rows)
        rows.emplace_back(entry_json(entry));
    co_return listing(std::move(rows), found.next);
}

}  // namespace

void add_audit_routes(Router& router, services::AuditLog& audit) {
    router.add("GET", "/api/admin/audit", Access::kAdmin, [&audit](Call& call) { return find(audit, call); });
}

void add_operator_audit_routes(Router& router, services::AuditLog& audit) {
    router.add("GET", "/operator/audit", Access::kPublic, [&audit](Call& call) { return find(audit, call); });
}

}  // namespace agentdb9::api

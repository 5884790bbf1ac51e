#include "services/revocation_notice.hpp"

#include "base/json.hpp"

namespace agentdb9::services {
namespace {

constexpr std::string_view kKind = "revoke ";

template <class Id>
void put(json::object& object, std::string_view key, const std::optional<Id>& id) {
    if (id) object[key] = id->view();
}

template <class Id>
void get(const json::object& object, std::string_view key, std::optional<Id>& id) {
    const auto* value = object.if_contains(key);
    if (value != nullptr && value->is_string()) id = Id::parse(value->get_string());
}

}  // namespace

std::string to_notice(const auth::Revocation& revocation) {
    json::object object;
    put(object, "user", revocation.user);
    put(object, "session", revocation.session);
    put(object, "apiToken", revocation.api_token);
    put(object, "exceptSession", revocation.except_session);
    return std::string(kKind) + json::serialize(object);
}

std::optional<auth::Revocation> revocation_in(std::string_view notice) {
    if (!notice.starts_with(kKind)) return std::nullopt;
    const auto value = base::parse_json_or(notice.substr(kKind.size()), nullptr);
    if (!value.is_object()) return std::nullopt;
    auth::Revocation revocation;
    get(value.get_object(), "user", revocation.user);
    get(value.get_object(), "session", revocation.session);
    get(value.get_object(), "apiToken", revocation.api_token);
    get(value.get_object(), "exceptSession", revocation.except_session);
    return revocation;
}

}  // namespace agentdb9::services

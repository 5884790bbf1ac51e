#include "auth/access_token.hpp"

#include "auth/jwt.hpp"
#include "base/crypto.hpp"

namespace agentdb9::auth {
namespace {

template <class Id>
std::optional<Id> id_claim(const json::object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    if (!value || !value->is_string()) return std::nullopt;
    return Id::parse(std::string_view(value->as_string()));
}

}  // namespace

std::string make_access_token(const model::User& user, const base::SessionId& session, base::Time now,
                              std::string_view key) {
    const std::int64_t issued = base::to_unix_seconds(now);
    return sign_jwt(
        {
            {"sub", user.id.view()},
            {"email", user.email},
            {"username", user.username},
            {"role", model::to_text(user.role)},
            {"sid", session.view()},
            {"iat", issued},
            {"exp", issued + kAccessTokenLife.count()},
            {"jti", base::random_token(16)},
        },
        key);
}

std::expected<AccessToken, Failure> read_access_token(std::string_view text, std::string_view key,
                                                      base::Time now) {
    auto claims = verify_jwt(text, key, now);
    if (!claims) return std::unexpected(claims.error());
    const auto user = id_claim<base::UserId>(*claims, "sub");
    const auto session = id_claim<base::SessionId>(*claims, "sid");
    if (!user || !session) return std::unexpected(Failure::kMalformed);
    return AccessToken{*user, *session, base::Time(std::chrono::seconds(claims->at("exp").as_int64()))};
}

}  // namespace agentdb9::auth

// The gateway's step that says who asks: cookies and tokens, and which of them are ours.
#include "auth/bearer.hpp"
#include "auth/tokens.hpp"
#include "proxy/gateway.hpp"
#include "proxy/refusals.hpp"
#include "proxy/relay_headers.hpp"
#include "proxy/worker.hpp"

namespace agentdb9::proxy {
namespace {

// A browser that carries more of them is not one of ours.
constexpr std::size_t kMaxCookiesTried = 4;
// No application needs more of them, and each is a question.
constexpr std::size_t kMaxSignedTexts = 4;
constexpr std::string_view kApiTokenPrefix = "adb9_";
// Bytes; ours are shorter.
constexpr std::size_t kLongestCookie = 512;
constexpr std::size_t kLongestToken = 8'192;

// It will not be good again.
bool is_over(const http::Problem& problem) {
    return problem.code == "invalid_token" || problem.code == "token_expired" ||
           problem.code == "token_revoked";
}

bool wants_html(const http::RequestHead& head) {
    return head.has("Accept", "text/html") || head.get("Accept").value_or("").contains("text/html");
}

}  // namespace

// What most requests of programs come to, without a coroutine or a copy: a bearer token that was checked
// before, where no cookie comes first.
Gateway::CallerResult Gateway::known_bearer(const http::RequestHead& head, const Client& client) {
    const bool cookies_first = client.origin == Origin::kApplications && head.get("Cookie");
    const auto token = auth::bearer_text(head.get("Authorization").value_or(""));
    if (!token || cookies_first) return std::unexpected(Refusal());
    auto& tokens = worker_.tokens();
    auto known = tokens.find(auth::Credential::Kind::kBearer, *token, worker_.wall_clock());
    if (!known) return std::unexpected(Refusal());
    ++worker_.metrics().token_hits;
    return Caller{std::move(known), tokens.epoch(), false};
}

Task<Gateway::CallerResult> Gateway::identify(const http::RequestHead& head, const Client& client) {
    std::optional<http::Problem> problem;
    bool offered = false;
    // Cookies never authenticate on the API's origin.
    if (client.origin == Origin::kApplications) {
        auto name = cookie_name(kApplicationCookie, client);
        auto cookies = application_cookies(head, name);
        if (cookies.size() > kMaxCookiesTried) cookies.resize(kMaxCookiesTried);
        for (auto cookie : cookies) {
            offered = true;
            // Whoever keeps one that is over goes on with what is open to all, and asks no one each time.
            if (cookie.size() > kLongestCookie || ended_cookies_.contains(std::string(cookie))) {
                problem = {401, "unauthenticated", "This sign-in has ended. Sign in again.", {}};
                continue;
            }
            auto caller = co_await check({auth::Credential::Kind::kApplicationCookie, std::string(cookie)});
            if (caller) {
                caller->by_cookie = true;
                co_return *caller;
            }
            problem = caller.error();
            bool own_origin = !worker_.options().apps_domain.empty();
            if (own_origin && is_over(*problem)) ended_cookies_.add(std::string(cookie));
        }
    }
    if (auto token = auth::bearer_token(head.get("Authorization").value_or(""))) {
        auto caller = co_await check({auth::Credential::Kind::kBearer, std::string(*token)});
        if (caller) co_return *caller;
        problem = caller.error();
        offered = true;
    }
    if (offered) {
        Refusal refused{*problem, std::nullopt, {}, {}};
        if (problem->status == 401) refused.www_authenticate = "Bearer";
        if (problem->status == 503) refused.retry_after_seconds = 2;
        co_return std::unexpected(refused);
    }
    if (!wants_html(head))
        co_return std::unexpected(unauthenticated("Send an access token: Authorization: Bearer ..."));
    const auto& url = worker_.options().public_url;
    std::string where = url.empty() ? "on the server's own page" : "at " + url + "/";
    co_return std::unexpected(unauthenticated("Sign in " + where + " and open the workspace from there."));
}

Task<Answer<Gateway::Caller>> Gateway::check(auth::Credential credential) {
    auto& tokens = worker_.tokens();
    auto epoch = tokens.epoch();
    if (auto known = tokens.find(credential.kind, credential.text, worker_.wall_clock())) {
        ++worker_.metrics().token_hits;
        co_return Caller{known, epoch, false};
    }
    ++worker_.metrics().token_misses;
    auto answer =
        co_await worker_.questions().ask<Answer<auth::Principal>>(worker_.control().authenticate, credential);
    if (!answer)
        co_return std::unexpected(
            http::Problem{503, "unavailable", "The server cannot check credentials now.", {}});
    if (!*answer) co_return std::unexpected(answer->error());
    // Revoked while the question was open.
    if (tokens.revoked_since(epoch, **answer))
        co_return std::unexpected(
            http::Problem{401, "unauthenticated", "This sign-in has ended. Sign in again.", {}});
    auto principal = std::make_shared<const auth::Principal>(std::move(**answer));
    tokens.put(std::move(credential), principal);
    co_return Caller{std::move(principal), tokens.epoch(), false};
}

Task<bool> Gateway::is_foreign_authorization(const http::RequestHead& head) {
    constexpr std::string_view kBearer = "bearer";
    std::size_t fields = 0;
    for (const auto& field : head.fields)
        if (http::iequals(field.name, "Authorization")) ++fields;
    if (fields != 1) co_return fields == 0;
    auto value = *head.get("Authorization");
    if (value.contains(kApiTokenPrefix)) co_return false;
    // Ours is ours in another scheme, too, or where a proxy has joined two fields.
    const auto likely = auth::signed_texts(value);
    if (likely.size() > kMaxSignedTexts) co_return false;
    for (auto text : likely)
        if (auth::is_like_refresh_token(text) || co_await is_our_token(std::string(text))) co_return false;
    if (auto token = auth::bearer_token(value)) co_return !co_await is_our_token(std::string(*token));
    // A bearer token in a form that we do not read may be read by others.
    co_return !http::iequals(value.substr(0, kBearer.size()), kBearer);
}

Task<bool> Gateway::is_our_token(std::string token) {
    if (token.size() > kLongestToken || foreign_tokens_.contains(token)) co_return false;
    auto caller = co_await check({auth::Credential::Kind::kBearer, token});
    if (caller) co_return true;
    // Where it could not be told, better too little than our token to an application; and one that was good
    // once, or will be again, is still no application's business.
    if (caller.error().code != "invalid_token") co_return true;
    foreign_tokens_.add(std::move(token));
    co_return false;
}

Task<std::optional<http::Problem>> Gateway::problem_with_bearer(const http::RequestHead& head) {
    const auto token = auth::bearer_token(head.get("Authorization").value_or(""));
    if (!token)
        co_return http::Problem{413,
                                "body_too_large",
                                "Without an access token a body may have " +
                                    std::to_string(worker_.limits().strangers_body_bytes) +
                                    " bytes at most. Send one: Authorization: Bearer ...",
                                {}};
    const auto caller = co_await check({auth::Credential::Kind::kBearer, std::string(*token)});
    if (caller) co_return std::nullopt;
    co_return caller.error();
}

}  // namespace agentdb9::proxy

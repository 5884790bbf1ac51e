#include "services/authenticator.hpp"

#include <algorithm>

#include "auth/access_token.hpp"
#include "auth/application_cookie.hpp"
#include "auth/tokens.hpp"
#include "base/crypto.hpp"
#include "base/error.hpp"
#include "base/log.hpp"

namespace agentdb9::services {
namespace {

using auth::Failure;

// Long enough to spare the store, short enough that another server's revocation is noticed.
constexpr std::chrono::seconds kCacheTime{60};
constexpr std::size_t kMaxCached = 20'000;
// API tokens may have no end; what is handed out for them has one, so that caches ask again, and it is known
// when a token that only opens applications was last used.
constexpr std::chrono::minutes kApiTokenPrincipalLife{15};
constexpr int kMaxReads = 10;

class InFlight {
  public:
    using List = std::list<std::vector<auth::Revocation>>;
    explicit InFlight(List& list) : list_(list), place_(list.emplace(list.end())) {}
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() { list_.erase(place_); }

    bool covered(const auth::Principal& principal) const {
        return std::ranges::any_of(*place_,
                                   [&](const auto& revocation) { return revocation.covers(principal); });
    }
    void forget() { place_->clear(); }

  private:
    List& list_;
    List::iterator place_;
};

}  // namespace

// What a credential says of itself, before the store is asked.
struct Authenticator::Claim {
    std::optional<base::UserId> user;
    std::optional<base::SessionId> session;
    std::optional<base::ApiTokenId> api_token;
    std::optional<std::string> api_token_text;
    std::optional<auth::ApplicationScope> scope;
    std::optional<base::Time> expires_at;
};

namespace {

// What the store says.
struct Found {
    std::optional<model::User> user;
    std::optional<model::Session> session;
    std::optional<model::ApiToken> api_token;
};

std::optional<model::ApiToken> find_token(store::Transaction& tx, const std::string& text) {
    auto found = tx.api_tokens().find_by_hash(auth::token_hash(text));
    return found ? found : tx.api_tokens().find_by_hash(auth::scoped_token_hash(text));
}

std::optional<Failure> refuse(const Found& found, base::Time now) {
    if (!found.user || !found.user->is_active) return Failure::kRevoked;
    if (found.session) {
        if (found.session->user_id != found.user->id || found.session->revoked_at) return Failure::kRevoked;
        if (found.session->expires_at <= now) return Failure::kExpired;
    }
    if (found.api_token) {
        if (found.api_token->user_id != found.user->id || found.api_token->revoked_at)
            return Failure::kRevoked;
        if (found.api_token->expires_at && *found.api_token->expires_at <= now) return Failure::kExpired;
    }
    return std::nullopt;
}

}  // namespace

Task<std::expected<auth::Principal, Failure>> Authenticator::authenticate(auth::Credential credential) {
    auto claim = read(credential);
    if (!claim) co_return std::unexpected(claim.error());
    const auto digest = base::sha256(credential.text);
    std::string key(digest.begin(), digest.end());
    key += credential.kind == auth::Credential::Kind::kBearer ? 'b' : 'c';

    if (auto found = cache_.find(key); found != cache_.end()) {
        const auto& entry = found->second;
        if (clock_.steady_now() - entry.checked_at < kCacheTime &&
            entry.principal.expires_at > clock_.now()) {
            note_use(entry.principal);
            co_return entry.principal;
        }
        cache_.erase(found);
    }
    InFlight in_flight(in_flight_);
    for (int reads = 0; reads < kMaxReads; ++reads) {
        in_flight.forget();
        auto answer = co_await resolve(*claim);
        if (!answer) co_return answer;
        // What was read may be from before a revocation that came meanwhile: then it is read again.
        if (in_flight.covered(*answer)) continue;
        remember(key, *answer);
        note_use(*answer);
        co_return answer;
    }
    co_return std::unexpected(Failure::kUnavailable);
}

std::expected<Authenticator::Claim, Failure> Authenticator::read(const auth::Credential& credential) const {
    Claim claim;
    if (credential.kind == auth::Credential::Kind::kApplicationCookie) {
        const auto cookie =
            auth::open_application_cookie(credential.text, keys_.application_cookies, clock_.now());
        if (!cookie) return std::unexpected(cookie.error());
        claim.user = cookie->user;
        claim.session = cookie->session;
        claim.api_token = cookie->api_token;
        claim.scope = cookie->scope;
        claim.expires_at = cookie->expires_at;
        return claim;
    }
    if (auth::is_api_token(credential.text)) {
        claim.api_token_text = credential.text;
        return claim;
    }
    const auto token = auth::read_access_token(credential.text, keys_.access_tokens, clock_.now());
    if (!token) return std::unexpected(token.error());
    claim.user = token->user;
    claim.session = token->session;
    claim.expires_at = token->expires_at;
    return claim;
}

Task<Authenticator::Answer> Authenticator::resolve(Claim claim) {
    const auto now = clock_.now();
    try {
        const auto found = co_await store_.read([claim](store::Transaction& tx) {
            Found result;
            if (claim.session) result.session = tx.sessions().find(*claim.session);
            if (claim.api_token) result.api_token = tx.api_tokens().find(*claim.api_token);
            if (claim.api_token_text) result.api_token = find_token(tx, *claim.api_token_text);
            if (claim.user) result.user = tx.users().find(*claim.user);
            if (!claim.user && result.api_token) result.user = tx.users().find(result.api_token->user_id);
            return result;
        });
        if (claim.api_token_text && !found.api_token) co_return std::unexpected(Failure::kMalformed);
        if (!found.session && !found.api_token) co_return std::unexpected(Failure::kRevoked);
        if (auto failure = refuse(found, now)) co_return std::unexpected(*failure);

        // A session's own end moves on as long as it is used.
        std::optional<base::Time> ends_at;
        if (found.api_token) ends_at = found.api_token->expires_at;
        auto expires_at = claim.expires_at.value_or(now + kApiTokenPrincipalLife);
        if (found.session) expires_at = std::min(expires_at, found.session->expires_at);
        if (ends_at) expires_at = std::min(expires_at, *ends_at);
        auth::Principal principal{.user = found.user->id,
                                  .email = found.user->email,
                                  .username = found.user->username,
                                  .role = found.user->role,
                                  .session = std::nullopt,
                                  .api_token = std::nullopt,
                                  .scope = claim.scope,
                                  .expires_at = expires_at,
                                  .ends_at = ends_at};
        if (found.session) principal.session = found.session->id;
        if (found.api_token) {
            principal.api_token = found.api_token->id;
            principal.token_scope = found.api_token->scope();
        }
        co_return principal;
    } catch (const base::Error& error) {
        log::warning("a credential could not be checked", {{"reason", error.what()}});
    }
    co_return std::unexpected(Failure::kUnavailable);
}

void Authenticator::remember(const std::string& key, const auth::Principal& principal) {
    if (cache_.size() >= kMaxCached) cache_.erase(cache_.begin());
    cache_.insert_or_assign(key, Entry{principal, clock_.steady_now()});
}

void Authenticator::note_use(const auth::Principal& principal) {
    if (principal.api_token) uses_.insert_or_assign(*principal.api_token, clock_.now());
}

std::optional<base::Time> Authenticator::noted_use(const base::ApiTokenId& token) const {
    const auto found = uses_.find(token);
    if (found == uses_.end()) return std::nullopt;
    return found->second;
}

Task<> Authenticator::write_uses() {
    auto uses = std::exchange(uses_, {});
    if (uses.empty()) co_return;
    std::exception_ptr failure;
    try {
        co_await store_.write([uses](store::Transaction& tx) {
            for (const auto& [token, at] : uses)
                tx.api_tokens().touch(token, at);
        });
        co_return;
    } catch (...) {
        failure = std::current_exception();
    }
    // What was noted meanwhile is later.
    uses_.merge(std::move(uses));
    std::rethrow_exception(failure);
}

void Authenticator::revoke(const auth::Revocation& revocation) {
    // The one session that a changed password spares is forgotten here too: its user is read anew.
    std::erase_if(cache_, [&](const auto& item) {
        return revocation.covers(item.second.principal) || item.second.principal.user == revocation.user;
    });
    for (auto& seen : in_flight_)
        seen.push_back(revocation);
    for (const auto& subscriber : subscribers_)
        subscriber(revocation);
}

void Authenticator::subscribe(std::function<void(const auth::Revocation&)> subscriber) {
    subscribers_.push_back(std::move(subscriber));
}

}  // namespace agentdb9::services

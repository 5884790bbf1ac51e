#include "services/neighbours.hpp"

#include <boost/asio/post.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "services/adoption.hpp"
#include "services/revocation_notice.hpp"
#include "services/shares.hpp"

namespace agentdb9::services {
namespace {

// A loss may be noticed late, and clocks differ.
constexpr std::chrono::minutes kMargin{2};
constexpr std::string_view kWorkspace = "workspace ";

}  // namespace

Neighbours::Neighbours(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
                       Reconciler& reconciler, Authenticator& authenticator,
                       std::function<Task<>()> load_adoptions, std::function<void()> load_shares)
    : executor_(executor),
      clock_(clock),
      store_(store),
      reconciler_(reconciler),
      authenticator_(authenticator),
      load_adoptions_(std::move(load_adoptions)),
      load_shares_(std::move(load_shares)),
      scope_(std::move(executor)) {}

void Neighbours::start() {
    const auto post = [this](auto work) { asio::post(executor_, std::move(work)); };
    subscription_ = store_.subscribe({
        .on_notice = [this, post](const std::string& text) { post([this, text] { on_notice(text); }); },
        .on_connected = [this, post] { post([this] { on_connected(); }); },
        .on_lost = [this, post] { post([this] { on_lost(); }); },
        .on_present = [this,
                       post](base::SteadyTime time) { post([this, time] { reconciler_.present(time); }); },
    });
}

Task<> Neighbours::stop() {
    subscription_.reset();
    co_await scope_.close();
}

void Neighbours::on_notice(const std::string& text) {
    if (text.starts_with(kWorkspace)) {
        if (const auto id = base::WorkspaceId::parse(std::string_view(text).substr(kWorkspace.size())))
            reconciler_.changed_elsewhere(*id);
    } else if (text == kAdoptionNotice) {
        scope_.spawn("hear of an adoption", hear_of_adoption());
    } else if (text == kSharesNotice) {
        if (load_shares_) load_shares_();
    } else if (const auto revocation = revocation_in(text)) {
        authenticator_.revoke(*revocation);
    }
}

Task<> Neighbours::hear_of_adoption() {
    if (load_adoptions_) co_await load_adoptions_();
    reconciler_.look_again();
}

void Neighbours::on_lost() {
    deaf_since_ = clock_.now();
    reconciler_.absent();
}

void Neighbours::on_connected() {
    const auto since = std::exchange(deaf_since_, std::nullopt);
    log::debug("other servers on the database are heard");
    if (since) scope_.spawn("hear of an adoption", hear_of_adoption());
    if (load_shares_) load_shares_();
    reconciler_.look_again();
    if (since) scope_.spawn("catch up with other servers", catch_up(*since - kMargin));
}

Task<> Neighbours::catch_up(base::Time since) {
    for (;;) {
        try {
            const auto revocations = co_await store_.read([since](store::Transaction& tx) {
                std::vector<auth::Revocation> found;
                for (const auto& id : tx.sessions().revoked_since(since))
                    found.push_back({.user = {}, .session = id, .api_token = {}, .except_session = {}});
                for (const auto& id : tx.api_tokens().revoked_since(since))
                    found.push_back({.user = {}, .session = {}, .api_token = id, .except_session = {}});
                for (const auto& id : tx.users().changed_since(since))
                    found.push_back({.user = id, .session = {}, .api_token = {}, .except_session = {}});
                return found;
            });
            for (const auto& revocation : revocations)
                authenticator_.revoke(revocation);
            co_return;
        } catch (const base::Error& error) {
            log::debug("catching up waits", {{"reason", error.what()}});
        }
        co_await clock_.sleep_for(std::chrono::seconds(1));
    }
}

}  // namespace agentdb9::services

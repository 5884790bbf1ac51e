// The services on a store in memory and on simulated time.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/log.hpp"
#include "services/accounts.hpp"
#include "services/api_tokens.hpp"
#include "services/tickets.hpp"
#include "services/user_administration.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/simulation/loop.hpp"

namespace agentdb9::services {

using namespace std::chrono_literals;

// The word of the error that `work` ends with; empty when it ends well.
template <class F>
std::string word_of(F work) {
    try {
        work();
    } catch (const base::Error& error) {
        return error.word();
    }
    return {};
}

class ServicesTest : public testing::Test {
  protected:
    explicit ServicesTest(test::SimulatedLoop::Threads threads = test::SimulatedLoop::Threads::kNone)
        : loop_(threads) {
        base::log::configure(base::log::Level::kOff, base::log::Format::kJson);
    }

    template <class T>
    T run(Task<T> task) {
        return loop_.run(std::move(task));
    }
    void run(Task<> task) { loop_.run(std::move(task)); }
    template <class F>
    auto read(F work) {
        return run(store_->read(std::move(work)));
    }
    template <class F>
    void write(F work) {
        run(store_->write([work](store::Transaction& tx) { work(tx); }));
    }

    test::SimulatedLoop loop_;
    test::SimulatedClock& clock_ = loop_.clock();
    std::unique_ptr<store::SqliteStore> store_ = store::SqliteStore::in_memory();
};

// With accounts: Ada is one.
class AccountsTest : public ServicesTest {
  protected:
    static constexpr auto kPassword = "correct horse";

    SessionTokens register_ada() {
        return run(accounts_.register_account({"Ada@Example.org", "ada", kPassword, {}, {}}, client_));
    }
    SessionTokens log_in(const std::string& password = kPassword) {
        return run(accounts_.login("ada@example.org", password, client_));
    }
    // Whose token it is; the reason where it is nobody's.
    std::expected<auth::Principal, auth::Failure> who(const std::string& bearer) {
        return run(authenticator_.authenticate({auth::Credential::Kind::kBearer, bearer}));
    }
    auth::Principal principal(const SessionTokens& tokens) { return who(tokens.access_token).value(); }

    auth::Keys keys_ = auth::Keys::from_secret(std::string(32, 'k'));
    PasswordHasher hasher_{0, auth::PasswordCost::lowest()};
    Authenticator authenticator_{*store_, clock_, keys_};
    AccountService accounts_{*store_, clock_, keys_, hasher_, authenticator_, {.registration_open = true}};
    UserAdministration administration_{*store_, clock_, hasher_, authenticator_};
    Client client_{.address = "192.0.2.1", .user_agent = "test"};
};

}  // namespace agentdb9::services

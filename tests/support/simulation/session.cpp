#include "support/simulation/session.hpp"

#include <algorithm>
#include <utility>

namespace agentdb9::test {

using base::Duration;

namespace {

constexpr Duration kBeat{300};

}  // namespace

// Lives as long as anything that still waits for it.
struct SimulatedSession::State : std::enable_shared_from_this<State> {
    State(SimulatedDatabase& a_database, std::string a_server, const bool& a_reachable,
          store::Store::Subscriber a_subscriber)
        : database(a_database),
          server(std::move(a_server)),
          reachable(&a_reachable),
          subscriber(std::move(a_subscriber)) {}

    // Calls `work` after a moment, if the session that stands now still does.
    void later(Duration delay, std::move_only_function<void(State&)> work) {
        database.clock().call_in(delay,
                                 [self = shared_from_this(), at = epoch, work = std::move(work)]() mutable {
                                     if (self->alive && self->epoch == at) work(*self);
                                 });
    }
    Duration moment() { return database.random().between(Duration(0), Duration(8)); }

    void connect() {
        if (!*reachable) return later(kBeat, [](State& self) { self.connect(); });
        stands = std::make_shared<bool>(true);
        database.enter(server);
        database.transact(server, store::Mode::kWrite,
                          [this](store::Transaction& tx) { tx.leases().came_back(server); });
        subscription = database.listen(server, [this](const std::string& text) { hear(text); });
        confirm();
        subscriber.on_connected();
        beat();
    }

    // The database knew it at the time at which it was asked.
    void confirm() {
        const auto asked = database.clock().steady_now();
        later(moment(), [asked](State& self) { self.subscriber.on_present(asked); });
    }

    void beat() {
        later(kBeat, [](State& self) {
            if (*self.reachable && !*self.stands) return self.lose();
            if (*self.reachable) self.confirm();
            self.beat();
        });
    }

    void hear(const std::string& text) {
        if (!*reachable || !*stands) return;
        heard_until = std::max(heard_until, database.clock().steady_now() + moment());
        const auto delay = std::chrono::ceil<Duration>(heard_until - database.clock().steady_now());
        later(delay, [text](State& self) {
            if (*self.reachable) self.subscriber.on_notice(text);
        });
    }

    // The server's end notices.
    void lose() {
        ++epoch;
        database.unlisten(std::exchange(subscription, 0));
        subscriber.on_lost();
        later(kBeat, [](State& self) { self.connect(); });
    }

    // The database's end notices, whether the server still lives or not.
    void end_at_database(Duration after) {
        if (!stands || !*stands) return;
        if (after == Duration(0)) return end(database, server, *stands);
        database.clock().call_in(after, [&from = database, name = server, which = stands] {
            if (*which) end(from, name, *which);
        });
    }
    static void end(SimulatedDatabase& from, const std::string& name, bool& which) {
        which = false;
        from.leave(name);
    }

    SimulatedDatabase& database;
    const std::string server;
    const bool* reachable;
    store::Store::Subscriber subscriber;
    bool alive = true;
    std::uint64_t epoch = 0;
    std::uint64_t subscription = 0;
    std::shared_ptr<bool> stands;  // the database still has the session
    base::SteadyTime heard_until{};
};

SimulatedSession::SimulatedSession(SimulatedDatabase& database, std::string server, const bool& reachable,
                                   store::Store::Subscriber subscriber)
    : state_(std::make_shared<State>(database, std::move(server), reachable, std::move(subscriber))) {
    state_->later(state_->moment(), [](State& self) { self.connect(); });
}

SimulatedSession::~SimulatedSession() {
    die(Duration(0));
}

void SimulatedSession::cut(const Cut& how) {
    state_->end_at_database(how.database_notices);
    if (state_->subscription == 0) return;
    state_->later(how.server_notices, [](State& self) {
        if (!*self.reachable || !*self.stands) self.lose();
    });
}

void SimulatedSession::die(Duration database_notices) {
    if (!std::exchange(state_->alive, false)) return;
    if (state_->subscription != 0) state_->database.unlisten(state_->subscription);
    state_->end_at_database(database_notices);
}

}  // namespace agentdb9::test

#include "support/simulation/database.hpp"

#include <utility>
#include <vector>

namespace agentdb9::test {

// The rows' own connection, but for what a database of several servers adds.
class SimulatedDatabase::View final : public store::Connection {
  public:
    View(store::Connection& db, const SimulatedDatabase& database) : db_(db), database_(database) {}

    store::Result execute(std::string_view sql, const std::vector<store::Value>& parameters) override {
        return db_.execute(sql, parameters);
    }
    void execute_script(std::string_view sql) override { db_.execute_script(sql); }
    bool has_table(std::string_view name) override { return db_.has_table(name); }
    bool has_column(std::string_view table, std::string_view column) override {
        return db_.has_column(table, column);
    }
    void notify(const std::string& text) override { notices.push_back(text); }
    base::Time now() override { return database_.now(); }
    bool present(const std::string& server) override { return database_.present(server); }

    std::vector<std::string> notices;

  private:
    store::Connection& db_;
    const SimulatedDatabase& database_;
};

void SimulatedDatabase::transact(const std::string& server, store::Mode mode,
                                 const std::function<void(store::Transaction&)>& work) {
    std::vector<std::string> notices;
    rows_.transact_raw(mode, [&](store::Connection& db) {
        View view(db, *this);
        store::Transaction tx(view);
        work(tx);
        notices = std::move(view.notices);
    });
    for (const auto& text : notices) {
        for (const auto& [id, listener] : listeners_)
            if (listener.server != server) listener.hear(text);
    }
}

base::Time SimulatedDatabase::now() const {
    constexpr base::Time kBegan{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)};
    return kBegan + std::chrono::duration_cast<base::Duration>(clock_.steady_now().time_since_epoch());
}

void SimulatedDatabase::leave(const std::string& server) {
    const auto found = sessions_.find(server);
    if (found != sessions_.end()) sessions_.erase(found);
}

std::uint64_t SimulatedDatabase::listen(const std::string& server,
                                        std::function<void(const std::string&)> listener) {
    listeners_.emplace(++subscriptions_, Listener{server, std::move(listener)});
    return subscriptions_;
}

}  // namespace agentdb9::test

// A store of which each writing transaction is a point at which the server may be killed ("commit").
#pragma once

#include "store/store.hpp"
#include "support/kill_points/kill_points.hpp"

namespace agentdb9::testing {

class KillableStore final : public store::Store {
  public:
    KillableStore(std::unique_ptr<store::Store> store, KillPoints& points)
        : Store(kThreads), store_(std::move(store)), points_(points) {}
    ~KillableStore() override { join(); }

    void transact(store::Mode mode, const std::function<void(store::Transaction&)>& work) override {
        if (mode == store::Mode::kRead) return store_->transact(mode, work);
        KillPoints::Point point(points_, "commit");
        store_->transact(mode, work);
        point.passed();
    }
    std::optional<std::string> server_name() const override { return store_->server_name(); }
    std::unique_ptr<Subscription> subscribe(Subscriber subscriber) override {
        return store_->subscribe(std::move(subscriber));
    }
    store::Migrated migrate() override { return store_->migrate(); }
    std::vector<std::string> pending_migrations() override { return store_->pending_migrations(); }
    std::vector<std::string> damage() override { return store_->damage(); }
    std::string describe() const override { return store_->describe(); }

  private:
    static constexpr std::size_t kThreads = 4;

    std::unique_ptr<store::Store> store_;
    KillPoints& points_;
};

}  // namespace agentdb9::testing

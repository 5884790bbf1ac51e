// What every Store must do, whatever the database. An implementation's test names itself and how to make one:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSuite, testing::Values(StoreCase{"sqlite", make}), case_name);
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace agentdb9::store {

// One empty database, removed at the end of the test.
class StoreFixture {
  public:
    virtual ~StoreFixture() = default;
    // A store on it, not migrated. A second one only after the first is gone.
    virtual std::unique_ptr<Store> open() = 0;
    // Statements run as an earlier or a newer program would have run them; no store is open meanwhile.
    virtual void run_script(const std::string& sql) = 0;
};

struct StoreCase {
    std::string name;
    std::function<std::unique_ptr<StoreFixture>()> make;
};
inline std::string case_name(const testing::TestParamInfo<StoreCase>& info) {
    return info.param.name;
}

class StoreSuite : public testing::TestWithParam<StoreCase> {
  protected:
    StoreSuite() : fixture_(GetParam().make()) {}

    // Opened and migrated at the first use.
    Store& store() {
        if (!store_) {
            store_ = fixture_->open();
            store_->migrate();
        }
        return *store_;
    }
    void close() { store_.reset(); }
    StoreFixture& fixture() { return *fixture_; }

    template <class F>
    auto write(F work) {
        return transact(Mode::kWrite, std::move(work));
    }
    template <class F>
    auto read(F work) {
        return transact(Mode::kRead, std::move(work));
    }

  private:
    template <class F>
    auto transact(Mode mode, F work) {
        using R = std::invoke_result_t<F&, Transaction&>;
        if constexpr (std::is_void_v<R>) {
            store().transact(mode, work);
        } else {
            std::optional<R> result;
            store().transact(mode, [&](Transaction& tx) { result.emplace(work(tx)); });
            return std::move(*result);
        }
    }

    std::unique_ptr<StoreFixture> fixture_;
    std::unique_ptr<Store> store_;
};

inline const model::UserId kOwner = *model::UserId::parse("11111111-1111-4111-8111-111111111111");
inline const model::UserId kOther = *model::UserId::parse("22222222-2222-4222-8222-222222222222");
inline const model::WorkspaceId kWorkspace =
    *model::WorkspaceId::parse("33333333-3333-4333-8333-333333333333");

// The instant `ms` milliseconds after a fixed one.
model::Time at(std::int64_t ms);
model::User make_user(const std::string& email, std::int64_t created_ms = 0);
model::Project make_project(const model::UserId& owner, const std::string& name, std::int64_t created_ms = 0);
model::Workspace make_workspace(const model::UserId& owner, const std::string& name,
                                std::int64_t created_ms = 0);
model::Operation make_operation(const model::WorkspaceId& workspace, std::int64_t created_ms = 0);
model::Session make_session(const model::UserId& user, const std::string& hash, std::int64_t expires_ms);
model::ApiToken make_token(const model::UserId& user, const std::string& hash, std::int64_t created_ms = 0);
model::Tombstone make_tombstone(const model::UserId& user, const std::string& volume,
                                std::int64_t deleted_ms);

template <class Entity>
std::vector<std::string> names(const std::vector<Entity>& rows) {
    std::vector<std::string> result;
    for (const auto& row : rows)
        result.push_back(row.name);
    return result;
}

// The word of the base::Error that `work` throws, "" when it throws none.
std::string word_of(const std::function<void()>& work);

}  // namespace agentdb9::store

#include "store/postgres/postgres_store.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "conformance/store_suite.hpp"
#include "support/postgres_server.hpp"

namespace agentdb9::store {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

class DatabaseFixture final : public StoreFixture {
  public:
    DatabaseFixture() : url_(test::PostgresServer::instance().make_database()) {}
    ~DatabaseFixture() override { test::PostgresServer::instance().drop_database(url_); }
    std::unique_ptr<Store> open() override {
        return std::make_unique<PostgresStore>(url_,
                                               PostgresOptions{.threads = 2, .connections = 4, .limits = {}});
    }
    void run_script(const std::string& sql) override { PostgresConnection(url_, {}).execute_script(sql); }
    const std::string& url() const { return url_; }

  private:
    std::string url_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, StoreSuite,
                         testing::Values(StoreCase{"postgres",
                                                   [] { return std::make_unique<DatabaseFixture>(); }}),
                         case_name);

class PostgresStoreTest : public testing::Test {
  protected:
    PostgresStoreTest() { store().migrate(); }
    PostgresStore& store() {
        if (!store_) store_ = std::make_unique<PostgresStore>(fixture_.url(), options_);
        return *store_;
    }
    std::string settings(const std::string& name) {
        std::string value;
        store().transact(Mode::kRead, [&](Transaction& tx) { value = tx.settings().get(name).value_or(""); });
        return value;
    }
    void set(const std::string& name, const std::string& value) {
        store().transact(Mode::kWrite, [&](Transaction& tx) { tx.settings().set(name, value); });
    }

    PostgresOptions options_{
        .threads = 0, .connections = 3, .limits = {.connect = 500ms, .statement = 500ms, .lock = 300ms}};
    DatabaseFixture fixture_;
    std::unique_ptr<PostgresStore> store_;
};

TEST_F(PostgresStoreTest, WritersOfSeveralServersTakeTurns) {
    options_.limits = {};
    constexpr int kRounds = 50;
    const auto count_up = [&] {
        PostgresStore own(fixture_.url(), {.threads = 0, .connections = 2, .limits = {}});
        for (int i = 0; i < kRounds; ++i) {
            own.transact(Mode::kWrite, [](Transaction& tx) {
                const auto now = std::stoi(tx.settings().get("count").value_or("0"));
                tx.settings().set("count", std::to_string(now + 1));
            });
        }
    };
    std::thread first(count_up), second(count_up);
    first.join();
    second.join();
    EXPECT_EQ(settings("count"), std::to_string(2 * kRounds));
}

TEST_F(PostgresStoreTest, GoesOnByItselfAfterTheServerCrashed) {
    set("kept", "yes");
    test::PostgresServer::instance().restart();
    EXPECT_EQ(settings("kept"), "yes");
    set("kept", "still");
    EXPECT_EQ(settings("kept"), "still");
}

TEST_F(PostgresStoreTest, DoesNotWaitForAServerThatHangs) {
    set("kept", "yes");
    test::PostgresServer::instance().pause();
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(word_of([&] { settings("kept"); }), "database_unavailable");
    EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
    test::PostgresServer::instance().resume();
    EXPECT_EQ(settings("kept"), "yes");
}

TEST_F(PostgresStoreTest, ASlowWriterIsNotWaitedForForever) {
    set("kept", "yes");
    std::atomic<bool> inside = false;
    std::atomic<bool> go_on = false;
    PostgresStore other(fixture_.url(), {.threads = 0, .connections = 1, .limits = {}});
    std::thread writer([&] {
        other.transact(Mode::kWrite, [&](Transaction& tx) {
            tx.settings().set("kept", "later");
            inside = true;
            inside.notify_all();
            go_on.wait(false);
        });
    });
    inside.wait(false);
    EXPECT_EQ(word_of([&] { set("kept", "mine"); }), "database_unavailable");
    EXPECT_EQ(settings("kept"), "yes") << "readers do not wait for it";
    go_on = true;
    go_on.notify_all();
    writer.join();
    EXPECT_EQ(settings("kept"), "later");
}

// What a subscriber heard, for another thread to wait for.
class Ear {
  public:
    Store::Subscriber subscriber() {
        return {[this](const std::string& text) { note(text); }, [this] { note("connected"); },
                [this] { note("lost"); }, [this](base::SteadyTime) { note("present"); }};
    }
    bool hears(const std::string& text) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 20s, [&] {
            const auto found = std::ranges::find(heard_, text);
            if (found == heard_.end()) return false;
            heard_.erase(heard_.begin(), found + 1);
            return true;
        });
    }

  private:
    void note(const std::string& text) {
        const std::lock_guard lock(mutex_);
        heard_.push_back(text);
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> heard_;
};

TEST_F(PostgresStoreTest, TellsEveryServerWhatWasCommitted) {
    options_.limits = {};
    Ear ear;
    PostgresStore other(fixture_.url(), {.threads = 0, .connections = 1, .limits = {}});
    const auto subscription = other.subscribe(ear.subscriber());
    ASSERT_TRUE(ear.hears("connected"));
    EXPECT_THROW(store().transact(Mode::kWrite,
                                  [](Transaction& tx) {
                                      tx.notices().send("rolled back");
                                      throw std::runtime_error("changed my mind");
                                  }),
                 std::runtime_error);
    const auto workspace = make_workspace(kOwner, "w");
    store().transact(Mode::kWrite, [&](Transaction& tx) { tx.workspaces().insert(workspace); });
    EXPECT_TRUE(ear.hears("workspace " + workspace.id.str()));
    store().transact(Mode::kWrite, [](Transaction& tx) { tx.notices().send("hello"); });
    EXPECT_TRUE(ear.hears("hello"));
    test::PostgresServer::instance().restart();
    EXPECT_TRUE(ear.hears("lost"));
    EXPECT_TRUE(ear.hears("connected"));
    store().transact(Mode::kWrite, [](Transaction& tx) { tx.notices().send("again"); });
    EXPECT_TRUE(ear.hears("again"));
}

// Two servers, of which the first has a lease that lasts.
class PostgresPresenceTest : public PostgresStoreTest {
  protected:
    PostgresPresenceTest() {
        options_.limits = {};
        come();
        store().transact(Mode::kWrite, [this](Transaction& tx) {
            tx.leases().take(kWorkspace, *store().server_name(), std::chrono::hours(1));
        });
    }
    void come() {
        session_ = store().subscribe(ear_.subscriber());
        ASSERT_TRUE(ear_.hears("present"));
    }
    void go() { session_.reset(); }
    bool other_takes() {
        bool taken = false;
        other_.transact(Mode::kWrite, [&](Transaction& tx) {
            taken = tx.leases().take(kWorkspace, *other_.server_name(), std::chrono::hours(1)).has_value();
        });
        return taken;
    }
    // When the holder was first missed; empty where it was not.
    std::string missed_since() {
        std::string since;
        store().transact_raw(Mode::kRead, [&](Connection& db) {
            since = db.execute(R"(SELECT "absentSince" FROM "agentdb9_leases")")
                        .rows.front()
                        .optional_text(0)
                        .value_or("");
        });
        return since;
    }

    Ear ear_;
    PostgresStore other_{fixture_.url(), {.threads = 0, .connections = 1, .limits = {}}};
    std::unique_ptr<Store::Subscription> session_;
};

TEST_F(PostgresPresenceTest, TheLeasesOfAServerThatIsGoneAreFreeInSeconds) {
    EXPECT_FALSE(other_takes());
    EXPECT_EQ(missed_since(), "");
    const auto began = std::chrono::steady_clock::now();
    go();
    // The database hears of it a moment later.
    while (missed_since().empty())
        ASSERT_FALSE(other_takes());
    while (!other_takes())
        ASSERT_LT(std::chrono::steady_clock::now() - began, 20s);
    EXPECT_GE(std::chrono::steady_clock::now() - began, kGoneAfter);
    EXPECT_EQ(missed_since(), "");
}

TEST_F(PostgresPresenceTest, AServerThatComesBackKeepsItsLeases) {
    go();
    while (missed_since().empty())
        ASSERT_FALSE(other_takes());
    come();
    EXPECT_EQ(missed_since(), "");
    EXPECT_FALSE(other_takes());
    EXPECT_EQ(missed_since(), "");
}

TEST_F(PostgresPresenceTest, AnotherSessionOfItsIsAsGood) {
    const auto second = store().subscribe(ear_.subscriber());
    ASSERT_TRUE(ear_.hears("connected"));
    go();
    EXPECT_FALSE(other_takes());
    EXPECT_EQ(missed_since(), "");
}

TEST_F(PostgresPresenceTest, AllAreMissedForAMomentOnlyWhereTheDatabaseItselfStartsAgain) {
    test::PostgresServer::instance().restart();
    ASSERT_TRUE(ear_.hears("lost"));
    other_takes();
    ASSERT_TRUE(ear_.hears("present"));
    EXPECT_EQ(missed_since(), "");
    EXPECT_FALSE(other_takes());
}

TEST_F(PostgresStoreTest, RollsBackWhatThrows) {
    set("kept", "yes");
    EXPECT_THROW(store().transact(Mode::kWrite,
                                  [](Transaction& tx) {
                                      tx.settings().set("kept", "no");
                                      throw std::runtime_error("changed my mind");
                                  }),
                 std::runtime_error);
    EXPECT_EQ(settings("kept"), "yes");
}

TEST_F(PostgresStoreTest, SaysThatTheDatabaseAnswersAndDoesNotLetItIn) {
    auto url = fixture_.url();
    url.insert(url.find('?'), "_that_is_not_there");
    PostgresStore refused(url, {.threads = 0, .connections = 1, .limits = {}});
    try {
        refused.migrate();
        FAIL() << "migrated";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::kUnavailable);
        EXPECT_THAT(error.message(), HasSubstr("AGENTDB9_DATABASE_URL"));
    }
}

TEST(PostgresStore, SaysThatNothingAnswersWithoutTellingTheUrlsSecrets) {
    PostgresStore store("postgresql://ada:secret@127.0.0.1:1/work",
                        {.threads = 0, .connections = 1, .limits = {}});
    EXPECT_EQ(word_of([&] { store.migrate(); }), "database_unavailable");
    EXPECT_THAT(store.describe(), HasSubstr("work on 127.0.0.1:1"));
    EXPECT_THAT(store.describe(), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace agentdb9::store

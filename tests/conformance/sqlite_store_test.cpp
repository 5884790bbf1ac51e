#include "store/sqlite/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "base/error.hpp"
#include "conformance/store_suite.hpp"
#include "store/migrate.hpp"

namespace agentdb9::store {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

// A directory that goes with the object.
class Directory {
  public:
    Directory() {
        std::string path = (fs::temp_directory_path() / "agentdb9-store-XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) std::abort();
        path_ = path;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() {
        std::error_code ec;
        fs::remove_all(path_, ec);
    }
    fs::path file() const { return path_ / "agentdb9.db"; }
    fs::path operator/(const char* name) const { return path_ / name; }

  private:
    fs::path path_;
};

class FileFixture final : public StoreFixture {
  public:
    std::unique_ptr<Store> open() override {
        return std::make_unique<SqliteStore>(directory_.file(), SqliteOptions{.threads = 2});
    }
    void run_script(const std::string& sql) override {
        SqliteConnection db(directory_.file().string(), SqliteAccess::kCreate, std::chrono::seconds(1));
        db.execute_script(sql);
    }

  private:
    Directory directory_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSuite,
                         testing::Values(StoreCase{"file", [] { return std::make_unique<FileFixture>(); }}),
                         case_name);

void set(Store& store, const std::string& name, const std::string& value) {
    store.transact(Mode::kWrite, [&](Transaction& tx) { tx.settings().set(name, value); });
}

std::optional<std::string> get(Store& store, const std::string& name) {
    std::optional<std::string> value;
    store.transact(Mode::kRead, [&](Transaction& tx) { value = tx.settings().get(name); });
    return value;
}

// Both ways into the store throw "database_unavailable", however often they are tried.
void expect_unavailable(Store& store) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(word_of([&] { get(store, "a"); }), "database_unavailable");
        EXPECT_EQ(word_of([&] { set(store, "a", "no"); }), "database_unavailable");
    }
}

// While it lives no file of this process may grow beyond `bytes`: as on a full disk, a write fails.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

  private:
    void (*handler_)(int);
    rlimit before_{};
};

TEST(SqliteStore, MakesItsFilesForTheOwnerOnly) {
    const Directory directory;
    SqliteStore store(directory.file());
    store.migrate();
    set(store, "a", "1");
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(directory.file().parent_path())) {
        struct stat status{};
        ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777, 0600U) << entry.path();
        ++files;
    }
    EXPECT_GE(files, 3U) << "the database, its log and the lock";
    EXPECT_THAT(store.describe(), HasSubstr("SQLite 3."));
    EXPECT_THAT(store.describe(), HasSubstr(directory.file().string()));
}

TEST(SqliteStore, RefusesASecondServerOnTheDirectory) {
    const Directory directory;
    {
        SqliteStore store(directory.file());
        try {
            SqliteStore second(directory.file());
            FAIL() << "opened twice";
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), base::ErrorCode::kConflict);
            EXPECT_EQ(error.word(), "data_directory_in_use");
            EXPECT_THAT(error.message(), HasSubstr(directory.file().parent_path().string()));
        }
    }
    SqliteStore again(directory.file());
}

TEST(SqliteStore, LooksAtTheDatabaseOfARunningServer) {
    const Directory directory;
    EXPECT_EQ(word_of([&] { SqliteStore(directory.file(), {.mode = OpenMode::kShared}); }),
              "database_unavailable");
    EXPECT_FALSE(fs::exists(directory.file()));
    SqliteStore server(directory.file());
    server.migrate();
    set(server, "a", "1");
    SqliteStore command(directory.file(), {.mode = OpenMode::kShared});
    EXPECT_EQ(get(command, "a"), "1");
    EXPECT_THAT(command.pending_migrations(), IsEmpty());
    EXPECT_EQ(word_of([&] { set(command, "a", "2"); }), "database_in_use_read_only");
    EXPECT_EQ(word_of([&] { command.migrate(); }), "database_in_use_read_only");
    set(server, "a", "3");
    EXPECT_EQ(get(command, "a"), "3");
}

TEST(SqliteStore, ACrashLeavesTheCommittedAndNothingOfTheRest) {
    const Directory directory;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        SqliteStore store(directory.file(), {.threads = 0});
        store.migrate();
        set(store, "a", "1");
        store.transact(Mode::kWrite, [](Transaction& tx) {
            tx.settings().set("a", "2");
            // More than the page cache holds, so that some of it is on the disk already.
            for (int i = 0; i < 64; ++i)
                tx.settings().set("filler" + std::to_string(i), std::string(64 * 1024, 'x'));
            ::_exit(7);
        });
        ::_exit(1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), 7);
    SqliteStore store(directory.file());
    EXPECT_EQ(get(store, "a"), "1");
    EXPECT_EQ(get(store, "filler0"), std::nullopt);
    set(store, "a", "3");
}

TEST(SqliteStore, GoesOnAfterAFullDisk) {
    const Directory directory;
    SqliteStore store(directory.file());
    store.migrate();
    set(store, "a", "1");
    {
        const FileSizeLimit limit(256 * 1024);
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(word_of([&] { set(store, "a", std::string(1024 * 1024, 'x')); }),
                      "database_unavailable");
        }
        EXPECT_EQ(get(store, "a"), "1");
        // Nor does half of a transaction stay when its code goes on after the error.
        const auto stubborn = [](Transaction& tx) {
            EXPECT_NE(word_of([&] { tx.settings().set("a", std::string(4 * 1024 * 1024, 'x')); }), "");
            tx.settings().set("b", "2");
        };
        EXPECT_EQ(word_of([&] { store.transact(Mode::kWrite, stubborn); }), "database_unavailable");
        EXPECT_EQ(get(store, "b"), std::nullopt);
    }
    set(store, "a", "2");
    EXPECT_EQ(get(store, "a"), "2");
}

TEST(SqliteStore, GoesOnWhenAVanishedFileIsBackAndMakesNoNewOne) {
    const Directory directory;
    SqliteStore store(directory.file());
    store.migrate();
    set(store, "a", "1");
    fs::rename(directory.file(), directory / "elsewhere");
    expect_unavailable(store);
    EXPECT_FALSE(fs::exists(directory.file()));
    fs::rename(directory / "elsewhere", directory.file());
    EXPECT_EQ(get(store, "a"), "1");
    set(store, "a", "2");
    EXPECT_EQ(get(store, "a"), "2");
}

TEST(SqliteStore, GoesOnWhenAnUnreadableFileIsReplaced) {
    const Directory directory;
    SqliteStore store(directory.file());
    store.migrate();
    set(store, "a", "1");
    fs::rename(directory.file(), directory / "elsewhere");
    std::ofstream(directory.file()) << std::string(8192, '?');
    expect_unavailable(store);
    fs::rename(directory / "elsewhere", directory.file());
    EXPECT_EQ(get(store, "a"), "1");
    set(store, "a", "2");
}

TEST(SqliteStore, AReplacementSeesNothingOfTheOldLog) {
    const Directory directory;
    {
        SqliteStore backup(directory.file());
        backup.migrate();
        set(backup, "a", "backup");
    }
    fs::copy(directory.file(), directory / "backup");
    SqliteStore store(directory.file());
    std::atomic<bool> stop = false;
    std::vector<std::jthread> readers;
    for (int i = 0; i < 2; ++i) {
        readers.emplace_back([&] {
            while (!stop)
                EXPECT_TRUE(get(store, "a"));
        });
    }
    for (int i = 0; i < 50; ++i)
        set(store, "a", std::to_string(i));
    fs::rename(directory / "backup", directory.file());
    EXPECT_EQ(get(store, "a"), "backup");
    set(store, "a", "on");
    EXPECT_EQ(get(store, "a"), "on");
    stop = true;
}

TEST(SqliteStore, AMigrationThatFailsLeavesTheOnesBeforeIt) {
    const Directory directory;
    SqliteStore store(directory.file());
    const auto transact = [&](const std::function<void(Connection&)>& work) {
        store.transact_raw(Mode::kWrite, work);
    };
    const std::vector<Migration> broken{{1, "0001_good", R"(CREATE TABLE "good" ("a" integer))"},
                                        {2, "0002_bad", R"(CREATE TABLE "half" ("a" integer); nonsense)"}};
    try {
        apply_migrations(transact, broken);
        FAIL() << "applied";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.word(), "migration_failed");
        EXPECT_THAT(error.message(), HasSubstr("0002_bad"));
    }
    store.transact_raw(Mode::kRead, [&](Connection& db) {
        EXPECT_TRUE(db.has_table("good"));
        EXPECT_FALSE(db.has_table("half"));
        const auto missing = missing_migrations(db, broken);
        ASSERT_EQ(missing.size(), 1U);
        EXPECT_EQ(missing.front().version, 2);
    });
}

TEST(SqliteStore, InMemoryRunsAtOnceOnTheCallersThread) {
    const auto store = SqliteStore::in_memory();
    EXPECT_THAT(store->pending_migrations(), IsEmpty());
    EXPECT_THAT(store->migrate().applied, IsEmpty());
    set(*store, "a", "1");
    EXPECT_EQ(get(*store, "a"), "1");
    EXPECT_EQ(
        word_of([&] { store->transact(Mode::kRead, [](Transaction& tx) { tx.settings().set("a", "2"); }); }),
        "database_error");
    EXPECT_EQ(get(*store, "a"), "1");
    asio::io_context loop;
    bool ran = false;
    const auto work = [&]() -> Task<> {
        const auto caller = std::this_thread::get_id();
        co_await store->write([&](Transaction&) { ran = std::this_thread::get_id() == caller; });
    };
    asio::co_spawn(loop, work(), [](std::exception_ptr error) { EXPECT_FALSE(error); });
    loop.run();
    EXPECT_TRUE(ran);
    EXPECT_EQ(get(*SqliteStore::in_memory(), "a"), std::nullopt) << "each has its own";
}

TEST(SqliteStore, ItsEndWaitsForRunningWork) {
    const Directory directory;
    asio::io_context loop;
    std::atomic<bool> started = false;
    std::atomic<bool> release = false;
    std::atomic<bool> ended = false;
    auto store = std::make_unique<SqliteStore>(directory.file(), SqliteOptions{.threads = 1});
    store->migrate();
    asio::co_spawn(loop, store->write([&](Transaction& tx) {
        started = true;
        started.notify_all();
        release.wait(false);
        tx.settings().set("a", "1");
        ended = true;
    }),
                   [](std::exception_ptr) {});
    loop.poll();
    started.wait(false);
    std::jthread opener([&] {
        release = true;
        release.notify_all();
    });
    store.reset();
    EXPECT_TRUE(ended);
    loop.run();
}

}  // namespace
}  // namespace agentdb9::store

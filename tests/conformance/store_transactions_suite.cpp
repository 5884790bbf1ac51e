#include <gmock/gmock.h>

#include <thread>

#include "base/error.hpp"
#include "conformance/store_suite.hpp"
#include "store/migrate.hpp"

namespace agentdb9::store {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST_P(StoreSuite, AppliesMigrationsOnce) {
    auto store = fixture().open();
    const auto pending = store->pending_migrations();
    EXPECT_THAT(pending, testing::Contains("0001_accounts"));
    EXPECT_EQ(store->migrate().applied, pending);
    EXPECT_THAT(store->pending_migrations(), IsEmpty());
    EXPECT_THAT(store->migrate().applied, IsEmpty());
    store.reset();
    store = fixture().open();
    EXPECT_THAT(store->migrate().applied, IsEmpty());
}

TEST_P(StoreSuite, RefusesADatabaseOfANewerProgram) {
    fixture().open()->migrate();
    fixture().run_script(
        R"(INSERT INTO "agentdb9_migrations" VALUES (9999, '9999_breaking_future', CURRENT_TIMESTAMP))");
    auto store = fixture().open();
    try {
        store->migrate();
        FAIL() << "migrated";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::kConflict);
        EXPECT_EQ(error.word(), "database_newer");
        EXPECT_THAT(error.message(), testing::HasSubstr("9999_breaking_future"));
    }
    EXPECT_EQ(word_of([&] { store->pending_migrations(); }), "database_newer");
}

TEST_P(StoreSuite, WorksOnADatabaseThatANewerProgramOnlyAddedTo) {
    fixture().open()->migrate();
    fixture().run_script(
        R"(INSERT INTO "agentdb9_migrations" VALUES (9999, '9999_more', CURRENT_TIMESTAMP);
           ALTER TABLE "projects" ADD COLUMN "fromTheFuture" varchar DEFAULT 'kept')");
    auto store = fixture().open();
    EXPECT_THAT(store->pending_migrations(), IsEmpty());
    EXPECT_THAT(store->migrate().applied, IsEmpty());
}

TEST(Migrations, OnlyAddUnlessTheirNameSaysOtherwise) {
    for (const auto& migration : known_migrations()) {
        if (migration.name.find("_breaking") != std::string::npos) continue;
        for (const std::string_view taking : {"DROP ", "RENAME ", "ALTER COLUMN", "DELETE FROM"})
            EXPECT_EQ(migration.sql.find(taking), std::string_view::npos) << migration.name << " " << taking;
    }
}

TEST_P(StoreSuite, SettingsAreOverwritten) {
    write([](Transaction& tx) {
        EXPECT_FALSE(tx.settings().get("a"));
        tx.settings().set("a", "1");
        tx.settings().set("a", "2");
        EXPECT_EQ(tx.settings().get("a"), "2");
        tx.settings().remove("a");
        tx.settings().remove("a");
        EXPECT_FALSE(tx.settings().get("a"));
    });
}

TEST_P(StoreSuite, WhatThrowsLeavesNothingBehind) {
    EXPECT_THROW(write([](Transaction& tx) {
                     tx.settings().set("a", "1");
                     throw std::runtime_error("no");
                 }),
                 std::runtime_error);
    EXPECT_EQ(word_of([&] {
                  write([](Transaction& tx) {
                      tx.settings().set("b", "1");
                      const auto project = make_project(kOwner, "p");
                      tx.projects().insert(project);
                      tx.projects().insert(project);
                  });
              }),
              "duplicate");
    read([](Transaction& tx) {
        EXPECT_FALSE(tx.settings().get("a"));
        EXPECT_FALSE(tx.settings().get("b"));
        EXPECT_THAT(tx.projects().all(), IsEmpty());
    });
}

TEST_P(StoreSuite, AReadMayNotChangeAnything) {
    EXPECT_NE(word_of([&] { read([](Transaction& tx) { tx.settings().set("a", "1"); }); }), "");
    EXPECT_FALSE(read([](Transaction& tx) { return tx.settings().get("a"); }));
}

TEST_P(StoreSuite, AReadSeesOneState) {
    write([](Transaction& tx) { tx.settings().set("a", "1"); });
    read([this](Transaction& tx) {
        EXPECT_EQ(tx.settings().get("a"), "1");
        std::jthread([this] {
            store().transact(Mode::kWrite, [](Transaction& other) { other.settings().set("a", "2"); });
        }).join();
        EXPECT_EQ(tx.settings().get("a"), "1");
    });
    EXPECT_EQ(read([](Transaction& tx) { return tx.settings().get("a"); }), "2");
}

TEST_P(StoreSuite, StaysAfterReopening) {
    write([](Transaction& tx) { tx.settings().set("a", "1"); });
    close();
    EXPECT_EQ(read([](Transaction& tx) { return tx.settings().get("a"); }), "1");
}

TEST_P(StoreSuite, ReadsBrokenRowsAsTheNearestSensibleOnes) {
    fixture().open()->migrate();
    const std::string huge(10'000, 'n');
    fixture().run_script(
        R"(INSERT INTO "users" ("id", "email", "username", "password", "role", "preferences", "createdAt", "updatedAt")
           VALUES ('11111111-1111-4111-8111-111111111111', 'Ada@X', '{"a":1}', '', 'emperor', 'not json',
                   '2024-01-02 03:04:05.678901', '2024-01-02 03:04:05');
           INSERT INTO "users" ("id", "email", "username", "password", "createdAt", "updatedAt")
           VALUES ('22222222-2222-4222-8222-222222222222', 'ada@X', 'twin', '',
                   '2024-01-02 03:04:06', '2024-01-02 03:04:05');
           INSERT INTO "workspaces" ("id", "name", "userId", "type", "currentProjectId", "config", "status",
                                     "createdAt", "updatedAt")
           VALUES ('33333333-3333-4333-8333-333333333333', ')" +
        huge + R"(', 'undefined', '', 'nobody', '[object Object]', 'exploded',
                   '2024-01-02 03:04:05.678901', '2024-01-02 03:04:05.678901');
           INSERT INTO "projects" ("id", "name", "userId", "language", "status", "agents", "workspaceId",
                                   "createdAt", "updatedAt")
           VALUES ('44444444-4444-4444-8444-444444444444', '', '11111111-1111-4111-8111-111111111111', '', '?',
                   '{', 'gone', '2024-01-02 03:04:05.678901', '2024-01-02 03:04:05');)");
    write([&](Transaction& tx) {
        auto user = tx.users().find(kOwner);
        ASSERT_TRUE(user);
        EXPECT_EQ(user->username, R"({"a":1})");
        EXPECT_EQ(user->role, model::Role::kUser);
        EXPECT_THAT(user->preferences, IsEmpty());
        EXPECT_EQ(base::format_time(user->created_at), "2024-01-02T03:04:05.678Z");
        // Two that differ in their capitals only: each is found by its own spelling, and may still be
        // changed.
        EXPECT_EQ(tx.users().find_by_email("Ada@X")->id, kOwner);
        EXPECT_EQ(tx.users().find_by_email("ada@X")->id, kOther);
        user->last_login_at = at(1);
        tx.users().update(*user);
        EXPECT_EQ(tx.users().find(kOwner)->last_login_at, at(1));

        const auto workspaces = tx.workspaces().all();
        ASSERT_THAT(workspaces, SizeIs(1));
        EXPECT_EQ(workspaces[0].name, huge);
        EXPECT_EQ(workspaces[0].status, model::WorkspaceStatus::kActive);
        EXPECT_EQ(workspaces[0].current_project_id, std::nullopt);
        EXPECT_THAT(workspaces[0].config, IsEmpty());
        EXPECT_EQ(workspaces[0].desired_state, model::DesiredState::kStopped);

        const auto projects = tx.projects().of_user(kOwner).rows;
        ASSERT_THAT(projects, SizeIs(1));
        EXPECT_EQ(projects[0].name, "");
        EXPECT_EQ(projects[0].workspace_id, std::nullopt);
        EXPECT_THAT(projects[0].agents, IsEmpty());
    });
}

TEST_P(StoreSuite, FourWritersAtOnceLoseNothing) {
    write([](Transaction& tx) { tx.settings().set("n", "0"); });
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([this] {
            for (int round = 0; round < 25; ++round) {
                store().transact(Mode::kWrite, [](Transaction& tx) {
                    tx.settings().set("n", std::to_string(std::stoi(*tx.settings().get("n")) + 1));
                });
                store().transact(Mode::kRead, [](Transaction& tx) { EXPECT_TRUE(tx.settings().get("n")); });
            }
        });
    }
    threads.clear();
    EXPECT_EQ(read([](Transaction& tx) { return tx.settings().get("n"); }), "100");
}

TEST_P(StoreSuite, RunsOnItsOwnThreadsAndResumesOnTheCallers) {
    asio::io_context loop;
    std::string value;
    std::string thrown;
    store();
    const auto work = [&]() -> Task<> {
        co_await store().write([](Transaction& tx) { tx.settings().set("a", "1"); });
        value = (co_await store().read([](Transaction& tx) { return tx.settings().get("a"); })).value_or("");
        EXPECT_TRUE(loop.get_executor().running_in_this_thread());
        try {
            co_await store().write([](Transaction&) { throw base::conflict("mine", "Mine."); });
        } catch (const base::Error& error) {
            thrown = error.word();
        }
    };
    asio::co_spawn(loop, work(), [](std::exception_ptr error) { EXPECT_FALSE(error); });
    loop.run();
    EXPECT_EQ(value, "1");
    EXPECT_EQ(thrown, "mine");
}

}  // namespace
}  // namespace agentdb9::store

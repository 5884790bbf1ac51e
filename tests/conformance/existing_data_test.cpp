// Databases as an earlier AgentDB9 left them in PostgreSQL: made by TypeORM's `synchronize` (ids uuid,
// references varchar) or migrated by hand (uuid throughout, lengths, foreign keys); before and after the
// columns of its second phase; with rows that its missing checks allowed.
#include <gmock/gmock.h>

#include "conformance/store_suite.hpp"
#include "store/postgres/postgres_store.hpp"
#include "support/postgres_server.hpp"

namespace agentdb9::store {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kAda = "11111111-1111-4111-8111-111111111111";
constexpr auto kBob = "22222222-2222-4222-8222-222222222222";

struct Variant {
    std::string name;
    bool by_hand = false;      // uuid references, lengths, foreign keys
    bool second_phase = true;  // the columns for volumes and assignment
};

std::string reference(const Variant& variant) {
    return variant.by_hand ? "uuid" : "varchar";
}

std::string tables(const Variant& variant) {
    const auto later =
        variant.second_phase
            ? R"(, "workspaceId" )" + reference(variant) +
                  R"(, "workspaceType" varchar(50), "volumePath" varchar(500), "volumeName" varchar(255))"
            : std::string();
    std::string sql = R"(
        CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
        CREATE TABLE "users" ("id" uuid PRIMARY KEY DEFAULT uuid_generate_v4(), "email" varchar NOT NULL UNIQUE,
            "username" varchar NOT NULL, "password" varchar NOT NULL, "firstName" varchar, "lastName" varchar,
            "isActive" boolean NOT NULL DEFAULT true, "role" varchar NOT NULL DEFAULT 'user', "preferences" text,
            "lastLoginAt" timestamp, "createdAt" timestamp NOT NULL DEFAULT now(),
            "updatedAt" timestamp NOT NULL DEFAULT now());
        CREATE TABLE "projects" ("id" uuid PRIMARY KEY DEFAULT uuid_generate_v4(), "name" varchar NOT NULL,
            "description" varchar, "userId" )" +
                      reference(variant) + R"( NOT NULL, "repositoryUrl" varchar,
            "localPath" varchar, "framework" varchar, "language" varchar NOT NULL,
            "status" varchar(20) NOT NULL DEFAULT 'active', "agents" text NOT NULL DEFAULT '[]')" +
                      later + R"(,
            "createdAt" timestamp NOT NULL DEFAULT now(), "updatedAt" timestamp NOT NULL DEFAULT now());
        CREATE TABLE "workspaces" ("id" uuid PRIMARY KEY DEFAULT uuid_generate_v4(), "name" varchar NOT NULL,
            "description" text, "userId" )" +
                      reference(variant) + R"( NOT NULL, "type" varchar(50) NOT NULL DEFAULT 'vscode',
            "currentProjectId" )" +
                      reference(variant) + R"(, "config" text NOT NULL,
            "status" varchar(20) NOT NULL DEFAULT 'active', "containerName" varchar, "volumeName" varchar,
            "isDefault" boolean NOT NULL DEFAULT false, "createdAt" timestamp NOT NULL DEFAULT now(),
            "updatedAt" timestamp NOT NULL DEFAULT now());
        CREATE INDEX "IDX_workspaces_user" ON "workspaces" ("userId");
        CREATE TABLE "agents" ("id" uuid PRIMARY KEY DEFAULT uuid_generate_v4(), "name" varchar);
        CREATE TABLE "sessions" ("id" uuid PRIMARY KEY DEFAULT uuid_generate_v4(), "note" varchar);
        INSERT INTO "agents" ("name") VALUES ('of the rest of that product');
        INSERT INTO "sessions" ("note") VALUES ('of the rest of that product');)";
    if (variant.by_hand) {
        sql += R"(
        ALTER TABLE "workspaces" ADD FOREIGN KEY ("userId") REFERENCES "users" ON DELETE CASCADE;
        ALTER TABLE "workspaces" ADD FOREIGN KEY ("currentProjectId") REFERENCES "projects" ON DELETE SET NULL;)";
        if (variant.second_phase)
            sql +=
                R"(ALTER TABLE "projects" ADD FOREIGN KEY ("workspaceId") REFERENCES "workspaces" ON DELETE SET NULL;)";
    }
    return sql;
}

// Two users, three projects, five workspaces; the last three are broken.
constexpr auto kRows = R"(
    INSERT INTO "users" ("id", "email", "username", "password", "role", "preferences") VALUES
        ('11111111-1111-4111-8111-111111111111', 'Ada@Example.org', 'ada', '$2b$12$hash', 'admin', '{"theme":"dark"}'),
        ('22222222-2222-4222-8222-222222222222', 'bob@example.org', 'bob', '$2a$12$hash', 'user', 'not json');
    INSERT INTO "projects" ("id", "name", "userId", "language", "createdAt") VALUES
        ('aaaaaaaa-0000-4000-8000-000000000001', 'first', '11111111-1111-4111-8111-111111111111', 'rust',
         '2024-01-02 03:04:05.678901'),
        ('aaaaaaaa-0000-4000-8000-000000000002', '', '11111111-1111-4111-8111-111111111111', 'rust', now()),
        ('aaaaaaaa-0000-4000-8000-000000000003', 'of bob', '22222222-2222-4222-8222-222222222222', 'go', now());
    INSERT INTO "workspaces" ("id", "name", "userId", "currentProjectId", "config", "status", "containerName",
                              "isDefault", "createdAt") VALUES
        ('bbbbbbbb-0000-4000-8000-000000000001', 'good', '11111111-1111-4111-8111-111111111111',
         'aaaaaaaa-0000-4000-8000-000000000001', '{"defaultPort":8080}', 'running',
         'agentdb9-workspace-bbbbbbbb-0000-4000-8000-000000000001', true, '2024-01-02'),
        ('bbbbbbbb-0000-4000-8000-000000000002', 'newer default', '11111111-1111-4111-8111-111111111111', NULL, '{}',
         'stopped', NULL, true, '2024-02-02'),
        ('bbbbbbbb-0000-4000-8000-000000000003', 'with a project of bob', '11111111-1111-4111-8111-111111111111',
         'aaaaaaaa-0000-4000-8000-000000000003', '[object Object]', 'sleeping', NULL, false, '2024-03-02');)";

std::string broken_rows(const Variant& variant) {
    std::string sql = R"(INSERT INTO "workspaces" ("id", "name", "userId", "config") VALUES
        ('bbbbbbbb-0000-4000-8000-000000000004', repeat('n', 10000), '11111111-1111-4111-8111-111111111111', '{}');)";
    // What foreign keys would not have let in.
    if (!variant.by_hand) {
        sql += R"(INSERT INTO "workspaces" ("id", "name", "userId", "currentProjectId", "config") VALUES
            ('bbbbbbbb-0000-4000-8000-000000000005', 'of nobody', 'nobody', 'nothing', '{}');)";
    }
    return sql;
}

class ExistingData : public testing::TestWithParam<Variant> {
  protected:
    ExistingData() : url_(test::PostgresServer::instance().make_database()) {
        run(tables(GetParam()) + kRows + broken_rows(GetParam()));
    }
    ~ExistingData() override { test::PostgresServer::instance().drop_database(url_); }

    void run(const std::string& sql) { PostgresConnection(url_, {}).execute_script(sql); }
    std::int64_t count(const std::string& table) {
        return PostgresConnection(url_, {})
            .execute("SELECT count(*) FROM \"" + table + "\"")
            .rows[0]
            .integer(0);
    }
    template <class F>
    void with(Mode mode, F work) {
        store_.transact(mode, work);
    }

    std::string url_;
    PostgresStore store_{url_, {.threads = 0, .connections = 2, .limits = {}}};
};

model::WorkspaceId workspace(int number) {
    return *model::WorkspaceId::parse("bbbbbbbb-0000-4000-8000-00000000000" + std::to_string(number));
}
model::ProjectId project(int number) {
    return *model::ProjectId::parse("aaaaaaaa-0000-4000-8000-00000000000" + std::to_string(number));
}

TEST_P(ExistingData, IsMigratedInPlaceWithAllItsRows) {
    const auto workspaces = count("workspaces");
    const auto done = store_.migrate();
    EXPECT_EQ(count("users"), 2);
    EXPECT_EQ(count("projects"), 3);
    EXPECT_EQ(count("workspaces"), workspaces);
    EXPECT_EQ(count("agents"), 1) << "another part's table";
    EXPECT_EQ(count("sessions"), 1) << "another part's table";
    EXPECT_THAT(store_.migrate().applied, IsEmpty());

    with(Mode::kRead, [](Transaction& tx) {
        const auto ada = tx.users().find_by_email("ada@example.org");
        ASSERT_TRUE(ada);
        EXPECT_EQ(ada->id.view(), kAda);
        EXPECT_EQ(ada->role, model::Role::kAdmin);
        EXPECT_EQ(ada->password_hash, "$2b$12$hash");
        EXPECT_EQ(ada->preferences.at("theme").as_string(), "dark");
        const auto first = tx.projects().find(project(1));
        ASSERT_TRUE(first);
        EXPECT_EQ(base::format_time(first->created_at), "2024-01-02T03:04:05.678Z");
        EXPECT_FALSE(first->volume_name);
    });
}

TEST_P(ExistingData, HasItsObviousMistakesRepairedAndTheOthersTold) {
    const auto notes = store_.migrate().notes;
    with(Mode::kRead, [](Transaction& tx) {
        const auto good = tx.workspaces().find(workspace(1));
        EXPECT_EQ(good->current_project_id, project(1));
        EXPECT_FALSE(good->is_default) << "a newer one is";
        EXPECT_TRUE(tx.workspaces().find(workspace(2))->is_default);
        const auto broken = tx.workspaces().find(workspace(3));
        EXPECT_FALSE(broken->current_project_id) << "it was another user's";
        EXPECT_EQ(broken->status, model::WorkspaceStatus::kActive);
        EXPECT_EQ(broken->container_name, "agentdb9-workspace-bbbbbbbb-0000-4000-8000-000000000003");
        EXPECT_THAT(tx.workspaces().find(workspace(4))->name, SizeIs(10'000)) << "kept as it is";
    });
    EXPECT_THAT(notes, Contains(HasSubstr("a status that does not exist")));
    EXPECT_THAT(notes, Contains(HasSubstr("is another user's: they have none now")));
    EXPECT_THAT(notes,
                Contains(HasSubstr("The project aaaaaaaa-0000-4000-8000-000000000002 has a name of no")));
    if (!GetParam().by_hand) EXPECT_THAT(notes, Contains(HasSubstr("belongs to no user")));
}

TEST_P(ExistingData, TakesEveryKindOfRowAfterwards) {
    store_.migrate();
    const auto ada = *model::UserId::parse(kAda);
    auto made_project = make_project(ada, "new");
    auto made = make_workspace(ada, "new");
    with(Mode::kWrite, [&](Transaction& tx) {
        tx.projects().insert(made_project);
        made.current_project_id = made_project.id;
        made.next_project_id = project(1);
        tx.workspaces().insert(made);
        made_project.workspace_id = made.id;
        made_project.workspace_type = made.type;
        made_project.volume_name = model::ProjectId::generate().str();
        tx.projects().update(made_project);
        auto operation = make_operation(made.id);
        tx.operations().insert(operation);
    });
    with(Mode::kRead, [&](Transaction& tx) {
        EXPECT_THAT(tx.workspaces().using_project(made_project.id), SizeIs(1));
        EXPECT_THAT(tx.workspaces().using_project(project(1)), SizeIs(2));
        EXPECT_THAT(tx.projects().of_workspace(made.id), SizeIs(1));
        EXPECT_THAT(tx.workspaces().unsettled(), Contains(made.id));
        EXPECT_TRUE(tx.leases().orphans().empty());
        EXPECT_THAT(tx.projects().of_user(ada, {.limit = 2, .cursor = {}}).rows, SizeIs(2));
        const auto page = tx.projects().of_user(ada, {.limit = 2, .cursor = {}});
        EXPECT_THAT(tx.projects().of_user(ada, {.limit = 2, .cursor = page.next}).rows, SizeIs(1));
    });
    with(Mode::kWrite, [&](Transaction& tx) {
        tx.projects().unassign_all(made.id);
        tx.workspaces().clear_default(ada);
        tx.workspaces().remove(made.id);
        tx.projects().remove(made_project.id);
        auto bob = *tx.users().find(*model::UserId::parse(kBob));
        bob.password_hash = "$argon2id$";
        tx.users().update(bob);
    });
}

INSTANTIATE_TEST_SUITE_P(Postgres, ExistingData,
                         testing::Values(Variant{"ByTypeOrm"}, Variant{"ByTypeOrmFirstPhase", false, false},
                                         Variant{"ByHand", true, true},
                                         Variant{"ByHandFirstPhase", true, false}),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace agentdb9::store

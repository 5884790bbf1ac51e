// What API tokens may ask for, call by call, against the router of the whole server: a call that nobody
// decided about fails here.
#include "api/token_scope.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <set>

#include "cli/core.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace agentdb9::api {
namespace {

using model::TokenPower;
using model::TokenScope;

const auto kOwnId = base::WorkspaceId::parse("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11").value();
const auto kOtherId = base::WorkspaceId::parse("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a22").value();

// By a token that may read, one that may write, and the same for one workspace. y: it may; -: it may not;
// w: in its own workspace; p: where the project is its workspace's.
const std::map<std::string, std::string> kExpected{
    {"GET /api/auth/profile", "yyyy"},
    {"PATCH /api/auth/profile", "----"},
    {"POST /api/auth/change-password", "----"},
    {"POST /api/auth/logout", "----"},
    {"GET /api/auth/tokens", "----"},
    {"POST /api/auth/tokens", "----"},
    {"DELETE /api/auth/tokens/:id", "----"},
    {"GET /api/auth/sessions", "----"},
    {"DELETE /api/auth/sessions", "----"},
    {"DELETE /api/auth/sessions/:id", "----"},
    {"GET /api/workspaces/types", "yyyy"},
    {"GET /api/workspaces", "yyyy"},
    {"POST /api/workspaces", "-y--"},
    {"GET /api/workspaces/quota", "yy--"},
    {"GET /api/workspaces/stats", "yy--"},
    {"GET /api/workspaces/events", "yy--"},
    {"GET /api/workspaces/type/:type", "yy--"},
    {"GET /api/workspaces/:id", "yyww"},
    {"PUT /api/workspaces/:id", "-y-w"},
    {"DELETE /api/workspaces/:id", "-y-w"},
    {"GET /api/workspaces/:id/limits", "yyww"},
    {"POST /api/workspaces/:id/set-default", "-y-w"},
    {"GET /api/workspaces/:id/projects", "yyww"},
    {"GET /api/workspaces/:id/compatible-projects", "yy--"},
    {"GET /api/workspaces/:id/project-stats", "yyww"},
    {"POST /api/workspaces/:id/assign-project", "-y--"},
    {"POST /api/workspaces/:id/unassign-project", "-y--"},
    {"POST /api/workspaces/:id/start", "-y-w"},
    {"POST /api/workspaces/:id/stop", "-y-w"},
    {"POST /api/workspaces/:id/restart", "-y-w"},
    {"POST /api/workspaces/:id/switch-project", "-y-w"},
    {"GET /api/workspaces/:id/status", "yyww"},
    {"GET /api/workspaces/:id/files", "-y-w"},
    {"PUT /api/workspaces/:id/files", "-y-w"},
    {"GET /api/admin/cleaning", "----"},
    {"GET /api/workspaces/:id/operations", "yyww"},
    {"GET /api/workspaces/:id/activity", "yyww"},
    {"POST /api/workspaces/:id/keep-alive", "-y-w"},
    {"GET /api/workspaces/:id/history", "yyww"},
    {"GET /api/workspaces/:id/events", "yyww"},
    {"GET /api/workspaces/:id/health", "yyww"},
    {"GET /api/workspaces/:id/logs", "yyww"},
    {"GET /api/workspaces/:id/logs/stream", "yyww"},
    {"GET /api/workspaces/:id/container-stats", "yyww"},
    {"GET /api/workspaces/:id/container-stats/stream", "yyww"},
    {"POST /api/workspaces/:id/exec", "-y-w"},
    {"GET /api/workspaces/:id/terminal", "-y-w"},
    {"GET /api/workspaces/:id/terminals", "yyww"},
    {"DELETE /api/workspaces/:id/terminals/:terminalId", "-y-w"},
    {"POST /api/workspaces/:id/terminal-ticket", "-y-w"},
    {"POST /api/workspaces/:id/proxy-ticket", "-y-w"},
    {"GET /api/workspaces/:id/shares", "-y-w"},
    {"POST /api/workspaces/:id/shares", "-y-w"},
    {"DELETE /api/workspaces/:id/shares/:shareId", "-y-w"},
    {"GET /api/projects", "yyyy"},
    {"POST /api/projects", "-y--"},
    {"GET /api/projects/unassigned", "yy--"},
    {"POST /api/projects/import", "-y--"},
    {"GET /api/projects/:id", "yypp"},
    {"PUT /api/projects/:id", "-y--"},
    {"DELETE /api/projects/:id", "-y--"},
    {"GET /api/projects/:id/volume", "yypp"},
    {"GET /api/projects/:id/files", "yypp"},
    {"GET /api/projects/:id/files/content", "yypp"},
    {"GET /api/projects/:id/export", "yypp"},
    {"GET /api/projects/:id/operations", "yypp"},
    {"GET /api/projects/:id/events", "yypp"},
    {"GET /api/projects/:id/backups", "yypp"},
    {"POST /api/projects/:id/backups", "-y-p"},
    {"GET /api/projects/:id/backups/:backupId", "yypp"},
    {"GET /api/projects/:id/backups/:backupId/download", "yypp"},
    {"DELETE /api/projects/:id/backups/:backupId", "-y--"},
    {"POST /api/projects/:id/restore", "-y--"},
    {"POST /api/projects/:id/clone", "-y--"},
    {"GET /api/backups", "yy--"},
    {"POST /api/workspaces/projects/:id/backup", "-y-p"},
    {"POST /api/workspaces/projects/:id/restore", "-y--"},
    {"POST /api/workspaces/projects/:id/clone", "-y--"},
    {"GET /api/workspaces/projects/:id/volume-size", "yypp"},
    {"GET /api/trash", "yy--"},
    {"POST /api/trash/:id/restore", "-y--"},
    {"DELETE /api/trash/:id", "-y--"},
    {"GET /api/admin/audit", "----"},
    {"GET /api/admin/overview", "----"},
    {"GET /api/admin/users", "----"},
    {"POST /api/admin/users", "----"},
    {"GET /api/admin/users/:id", "----"},
    {"PATCH /api/admin/users/:id", "----"},
    {"GET /api/admin/users/:id/quota", "----"},
    {"PUT /api/admin/users/:id/quota", "----"},
    {"GET /api/admin/workspaces", "----"},
    {"POST /api/admin/workspaces/:id/stop", "----"},
    {"POST /api/workspaces/cleanup", "----"},
};

class TokenScopes : public testing::Test {
  protected:
    TokenScopes()
        : core_(io_.get_executor(), {}, store::SqliteStore::in_memory(),
                auth::Keys::from_secret("a secret of at least thirty-two bytes")) {}

    // Those that ask who calls.
    std::map<std::string, const Endpoint*> calls() {
        std::map<std::string, const Endpoint*> all;
        for (const auto* each : core_.api.router().endpoints())
            if (each->access != Access::kPublic) all.emplace(each->method + " " + each->pattern, each);
        return all;
    }

    static Parameters with_id(const base::WorkspaceId& id) { return {{"id", id.str()}}; }

    // What the token may do with the call, as kExpected writes it.
    static char letter(const TokenScope& scope, const Endpoint& endpoint) {
        const auto own = judge_scope(scope, endpoint, with_id(kOwnId));
        const auto other = judge_scope(scope, endpoint, with_id(kOtherId));
        if (own.refusal) return other.refusal ? '-' : '!';
        if (own.asks_for_project) return other.asks_for_project && !other.refusal ? 'p' : '!';
        return other.refusal ? 'w' : 'y';
    }

    asio::io_context io_;
    cli::Core core_;
};

TEST_F(TokenScopes, EveryCallIsDecidedAbout) {
    std::set<std::string> served, expected, decided;
    for (const auto& [name, endpoint] : calls())
        served.insert(name);
    for (const auto& [name, letters] : kExpected)
        expected.insert(name);
    for (const auto& each : scope_decisions())
        EXPECT_TRUE(decided.emplace(each.call).second) << each.call << " is decided about twice";
    EXPECT_EQ(decided, served) << "src/api/token_scope.cpp says what a token may; each call has a line there";
    EXPECT_EQ(expected, served) << "and one in this test";
}

TEST_F(TokenScopes, EachTokenMayWhatItsScopeSays) {
    const std::vector<TokenScope> scopes{{TokenPower::kRead, {}},
                                         {TokenPower::kWrite, {}},
                                         {TokenPower::kRead, kOwnId},
                                         {TokenPower::kWrite, kOwnId}};
    for (const auto& [name, endpoint] : calls()) {
        if (!kExpected.contains(name)) continue;
        std::string letters;
        for (const auto& scope : scopes)
            letters += letter(scope, *endpoint);
        EXPECT_EQ(letters, kExpected.at(name)) << name;
        EXPECT_EQ(letter({}, *endpoint), 'y') << name << ": a token without scopes may everything";
    }
}

// Whatever is decided about one call: what holds for all of them.
TEST_F(TokenScopes, NothingIsChangedByReadingAndNothingAdministeredWithAScope) {
    for (const auto& [name, endpoint] : calls()) {
        const auto reads = letter({TokenPower::kRead, {}}, *endpoint);
        if (endpoint->method != "GET") EXPECT_EQ(reads, '-') << name;
        const auto writes = letter({TokenPower::kWrite, {}}, *endpoint);
        if (endpoint->access == Access::kAdmin) EXPECT_EQ(writes, '-') << name;
        if (endpoint->access == Access::kTicket) EXPECT_EQ(reads, '-') << name;
        // Who may less in general may not more in one place.
        if (writes == '-') EXPECT_EQ(letter({TokenPower::kWrite, kOwnId}, *endpoint), '-') << name;
    }
}

TEST_F(TokenScopes, WhatNobodyDecidedAboutIsRefused) {
    const Endpoint unknown{.method = "GET", .pattern = "/api/new", .handler = {}, .parameter_names = {}};
    EXPECT_TRUE(judge_scope({TokenPower::kRead, {}}, unknown, {}).refusal);
    EXPECT_TRUE(judge_scope({TokenPower::kWrite, {}}, unknown, {}).refusal);
    EXPECT_FALSE(judge_scope({}, unknown, {}).refusal);
}

TEST_F(TokenScopes, TheSentenceSaysWhichTokenWould) {
    const auto start = calls().at("POST /api/workspaces/:id/start");
    const auto sentence = [&](const TokenScope& scope, const base::WorkspaceId& id) {
        return judge_scope(scope, *start, with_id(id)).refusal.value_or("");
    };
    EXPECT_NE(sentence({TokenPower::kRead, {}}, kOwnId).find("'write'"), std::string::npos);
    EXPECT_NE(sentence({TokenPower::kWrite, kOwnId}, kOtherId).find(kOwnId.view()), std::string::npos);
    EXPECT_NE(judge_scope({TokenPower::kWrite, {}}, *calls().at("GET /api/auth/tokens"), {})
                  .refusal.value_or("")
                  .find("without scopes"),
              std::string::npos);
}

TEST_F(TokenScopes, AnIdThatIsNoneIsNotItsOwn) {
    const auto show = calls().at("GET /api/workspaces/:id");
    for (const auto* id : {"", "x", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1"})
        EXPECT_TRUE(judge_scope({TokenPower::kWrite, kOwnId}, *show, {{"id", id}}).refusal) << id;
    EXPECT_FALSE(
        judge_scope({TokenPower::kWrite, kOwnId}, *show, {{"id", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"}})
            .refusal);
}

}  // namespace
}  // namespace agentdb9::api

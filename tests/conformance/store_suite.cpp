#include "conformance/store_suite.hpp"

#include "base/error.hpp"

namespace agentdb9::store {

model::Time at(std::int64_t ms) {
    return base::from_unix_ms(1'700'000'000'000 + ms);
}

model::User make_user(const std::string& email, std::int64_t created_ms) {
    return {.id = model::UserId::generate(),
            .email = email,
            .username = "ada",
            .password_hash = "$argon2id$x",
            .first_name = "Ada",
            .preferences = {{"theme", "dark"}},
            .created_at = at(created_ms),
            .updated_at = at(created_ms)};
}

model::Project make_project(const model::UserId& owner, const std::string& name, std::int64_t created_ms) {
    return {.id = model::ProjectId::generate(),
            .name = name,
            .user_id = owner,
            .language = "c++",
            .agents = {"one", "two"},
            .created_at = at(created_ms),
            .updated_at = at(created_ms)};
}

model::Workspace make_workspace(const model::UserId& owner, const std::string& name,
                                std::int64_t created_ms) {
    return {.id = model::WorkspaceId::generate(),
            .name = name,
            .user_id = owner,
            .type = "vscode",
            .config = {{"defaultPort", 8080}},
            .created_at = at(created_ms),
            .updated_at = at(created_ms)};
}

model::Operation make_operation(const model::WorkspaceId& workspace, std::int64_t created_ms) {
    return {.id = model::OperationId::generate(), .workspace_id = workspace, .created_at = at(created_ms)};
}

model::Session make_session(const model::UserId& user, const std::string& hash, std::int64_t expires_ms) {
    return {.id = model::SessionId::generate(),
            .user_id = user,
            .refresh_hash = hash,
            .address = "127.0.0.1",
            .user_agent = "curl",
            .created_at = at(0),
            .last_used_at = at(0),
            .expires_at = at(expires_ms)};
}

model::ApiToken make_token(const model::UserId& user, const std::string& hash, std::int64_t created_ms) {
    return {.id = model::ApiTokenId::generate(),
            .user_id = user,
            .name = "ci",
            .token_hash = hash,
            .hint = "adb9_abc",
            .created_at = at(created_ms)};
}

model::Tombstone make_tombstone(const model::UserId& user, const std::string& volume,
                                std::int64_t deleted_ms) {
    return {.id = model::TombstoneId::generate(),
            .volume_name = volume,
            .user_id = user,
            .owner_id = "owner",
            .owner_name = "A project",
            .snapshot = {{"name", "A project"}},
            .deleted_at = at(deleted_ms),
            .purge_after = at(deleted_ms + 1000)};
}

std::string word_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const base::Error& error) {
        return error.word();
    }
    return "";
}

}  // namespace agentdb9::store

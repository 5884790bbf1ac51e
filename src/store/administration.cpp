#include "store/administration.hpp"

#include <array>
#include <map>
#include <set>

#include "store/like.hpp"
#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::FailedOperation;
using model::InstallationNumbers;
using model::Operation;
using model::OperationCount;
using model::User;
using model::UserSummary;
using model::Workspace;

constexpr std::array kNewestFirst{SortKey{"createdAt", SortKey::Kind::kTime},
                                  SortKey{"id", SortKey::Kind::kId}};

// Without what no administrator is shown: hashes of passwords are not even read.
const Table<User>& user_table() {
    static const Table<User> table(
        "users", User{.id = nil_id<model::UserId>()},
        {key<&User::id>("id"), column<&User::email>("email"), column<&User::username>("username"),
         column<&User::first_name>("firstName"), column<&User::last_name>("lastName"),
         column<&User::is_active>("isActive"), column<&User::role>("role"),
         column<&User::last_login_at>("lastLoginAt"), column<&User::created_at>("createdAt"),
         column<&User::updated_at>("updatedAt")});
    return table;
}

const Table<Workspace>& workspace_table() {
    static const Table<Workspace> table(
        "workspaces",
        Workspace{.id = nil_id<model::WorkspaceId>(), .user_id = nil_id<model::UserId>(), .type = "vscode"},
        {key<&Workspace::id>("id"), column<&Workspace::name>("name"), column<&Workspace::user_id>("userId"),
         column<&Workspace::type>("type"), column<&Workspace::status>("status"),
         column<&Workspace::desired_state>("desiredState"), column<&Workspace::phase>("phase"),
         column<&Workspace::last_error>("lastError"), column<&Workspace::limits>("resourceLimits"),
         column<&Workspace::created_at>("createdAt"), column<&Workspace::updated_at>("updatedAt")});
    return table;
}

const Table<Operation>& operation_table() {
    static const Table<Operation> table(
        "agentdb9_operations",
        Operation{.id = nil_id<model::OperationId>(),
                  .workspace_id = nil_id<model::WorkspaceId>(),
                  .state = model::OperationState::kFailed},
        {key<&Operation::id>("id"), column<&Operation::workspace_id>("workspaceId"),
         column<&Operation::kind>("kind"), column<&Operation::state>("state"),
         column<&Operation::error_code>("errorCode"), column<&Operation::error>("error"),
         column<&Operation::created_at>("createdAt"), column<&Operation::finished_at>("finishedAt")});
    return table;
}

// What is asked for, condition by condition.
struct Condition {
    std::string sql = "1 = 1";
    std::vector<Value> parameters;

    void with(std::string_view before, Value value, std::string_view after = {}) {
        parameters.push_back(std::move(value));
        sql.append(" AND ")
            .append(before)
            .append("$")
            .append(std::to_string(parameters.size()))
            .append(after);
    }
};

// `("userId" IN ($1, $2))` for these ids; for none, nothing.
template <class Ids>
Condition among(std::string_view column, const Ids& ids) {
    Condition condition{.sql = "1 = 0", .parameters = {}};
    if (ids.empty()) return condition;
    condition.sql = "\"" + std::string(column) + "\" IN (";
    for (const auto& id : ids) {
        condition.parameters.emplace_back(id.str());
        condition.sql.append(condition.parameters.size() == 1 ? "$" : ", $")
            .append(std::to_string(condition.parameters.size()));
    }
    condition.sql += ")";
    return condition;
}

std::int64_t integer_in(const Row& row, std::size_t column) {
    return Codec<std::int64_t>::decode(row.value(column)).value_or(0);
}

template <class Enum>
Enum enum_in(const Row& row, std::size_t column, Enum otherwise) {
    return Codec<Enum>::decode(row.value(column)).value_or(otherwise);
}

// "" where the sum is of nothing.
std::int64_t count_in(Connection& db, std::string_view sql) {
    return integer_in(db.execute(sql).rows.at(0), 0);
}

std::optional<double> number_in(const Row& row, std::size_t column) {
    if (const auto* number = std::get_if<double>(&row.value(column))) return *number;
    const auto integer = Codec<std::int64_t>::decode(row.value(column));
    if (integer) return static_cast<double>(*integer);
    return std::nullopt;
}

template <class Id>
std::map<Id, std::string> texts_of(Connection& db, std::string_view table, std::string_view text,
                                   const std::set<Id>& ids) {
    std::map<Id, std::string> found;
    if (ids.empty()) return found;
    const auto condition = among("id", ids);
    const auto result = db.execute("SELECT \"id\", \"" + std::string(text) + "\" FROM \"" +
                                       std::string(table) + "\" WHERE " + condition.sql,
                                   condition.parameters);
    for (const auto& row : result.rows)
        if (const auto id = Codec<Id>::decode(row.value(0)))
            found.emplace(*id, Codec<std::string>::decode(row.value(1)).value_or(""));
    return found;
}

template <class Map, class Id>
std::optional<std::string> text_of(const Map& texts, const Id& id) {
    const auto found = texts.find(id);
    if (found == texts.end()) return std::nullopt;
    return found->second;
}

std::vector<OperationCount> operation_counts(const Result& result) {
    std::vector<OperationCount> counts;
    for (const auto& row : result.rows)
        counts.push_back({.kind = enum_in(row, 0, model::OperationKind::kStart),
                          .state = enum_in(row, 1, model::OperationState::kFailed),
                          .count = integer_in(row, 2)});
    return counts;
}

}  // namespace

Administration Transaction::administration() {
    return Administration(db_);
}

Listing<UserSummary> Administration::users(const model::UserFilter& filter, const Page& page) {
    Condition condition;
    if (filter.text) {
        const auto pattern = "%" + literally(*filter.text) + "%";
        condition.with(R"((CAST("id" AS text) = )", *filter.text);
        for (const auto* name : {"email", "username", "firstName", "lastName"}) {
            condition.parameters.emplace_back(pattern);
            condition.sql += " OR LOWER(\"" + std::string(name) + "\") LIKE LOWER($" +
                             std::to_string(condition.parameters.size()) + R"() ESCAPE '\')";
        }
        condition.sql += ")";
    }
    if (filter.role) condition.with(R"("role" = )", encode(*filter.role));
    if (filter.active) condition.sql += *filter.active ? R"( AND "isActive")" : R"( AND NOT "isActive")";
    auto found = user_table().page(db_, condition.sql, std::move(condition.parameters), kNewestFirst, page);
    return {.rows = summaries(std::move(found.rows)), .next = std::move(found.next)};
}

std::optional<UserSummary> Administration::user(const model::UserId& id) {
    auto found = summaries(user_table().select(db_, R"(WHERE "id" = $1)", {id.str()}));
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

std::vector<UserSummary> Administration::summaries(std::vector<User> users) {
    std::set<model::UserId> ids;
    std::vector<UserSummary> rows;
    for (auto& user : users) {
        ids.insert(user.id);
        rows.push_back({.user = std::move(user)});
        rows.back().last_seen_at = rows.back().user.last_login_at;
    }
    if (ids.empty()) return rows;
    const auto condition = among("userId", ids);
    const auto each = [&](std::string_view columns, std::string_view rest,
                          const std::function<void(UserSummary&, const Row&)>& take) {
        const auto result = db_.execute("SELECT \"userId\", " + std::string(columns) + " FROM " +
                                            std::string(rest) + condition.sql + " GROUP BY \"userId\"",
                                        condition.parameters);
        std::map<model::UserId, const Row*> by_user;
        for (const auto& row : result.rows)
            if (const auto id = Codec<model::UserId>::decode(row.value(0))) by_user.emplace(*id, &row);
        for (auto& row : rows)
            if (const auto found = by_user.find(row.user.id); found != by_user.end())
                take(row, *found->second);
    };
    each(R"(COUNT(*), SUM(CASE WHEN "desiredState" = 'running' THEN 1 ELSE 0 END))",
         R"("workspaces" WHERE "desiredState" <> 'deleted' AND )", [](UserSummary& row, const Row& found) {
             row.workspaces = integer_in(found, 1);
             row.running = integer_in(found, 2);
         });
    each("COUNT(*)", R"("projects" WHERE )",
         [](UserSummary& row, const Row& found) { row.projects = integer_in(found, 1); });
    const auto seen = [](UserSummary& row, const Row& found) {
        const auto at = Codec<model::Time>::decode(found.value(1));
        if (at && (!row.last_seen_at || *row.last_seen_at < *at)) row.last_seen_at = at;
    };
    each(R"(MAX("lastUsedAt"))", R"("agentdb9_sessions" WHERE )", seen);
    each(R"(MAX("lastUsedAt"))", R"("agentdb9_api_tokens" WHERE )", seen);
    each(R"(MAX("bytes"))", R"("agentdb9_volume_use" WHERE )",
         [](UserSummary& row, const Row& found) { row.volume_bytes = integer_in(found, 1); });
    each(R"(MAX("workspaces"), MAX("running"), MAX("cpus"), MAX("memory"), MAX("volumeBytes"))",
         R"("agentdb9_quotas" WHERE )", [](UserSummary& row, const Row& found) {
             row.quota = {.workspaces = Codec<std::int64_t>::decode(found.value(1)),
                          .running = Codec<std::int64_t>::decode(found.value(2)),
                          .cpus = number_in(found, 3),
                          .memory_mb = Codec<std::int64_t>::decode(found.value(4)),
                          .volume_bytes = Codec<std::int64_t>::decode(found.value(5))};
         });
    return rows;
}

Listing<model::WorkspaceSummary> Administration::workspaces(const model::WorkspaceFilter& filter,
                                                            const Page& page) {
    Condition condition;
    if (filter.user) condition.with(R"("userId" = )", filter.user->str());
    if (filter.type) condition.with(R"("type" = )", *filter.type);
    if (filter.status) condition.with(R"("status" = )", encode(*filter.status));
    auto found =
        workspace_table().page(db_, condition.sql, std::move(condition.parameters), kNewestFirst, page);
    std::set<model::UserId> owners;
    for (const auto& row : found.rows)
        owners.insert(row.user_id);
    const auto emails = texts_of(db_, "users", "email", owners);
    Listing<model::WorkspaceSummary> listing{.rows = {}, .next = std::move(found.next)};
    for (auto& row : found.rows) {
        auto email = text_of(emails, row.user_id);
        listing.rows.push_back({.workspace = std::move(row), .user_email = std::move(email)});
    }
    return listing;
}

InstallationNumbers Administration::numbers(model::Time since, std::size_t failures) {
    InstallationNumbers numbers;
    const auto users = db_.execute(R"(SELECT COUNT(*), SUM(CASE WHEN "isActive" THEN 1 ELSE 0 END),
                                             SUM(CASE WHEN "isActive" AND "role" = 'admin' THEN 1 ELSE 0 END)
                                      FROM "users")");
    numbers.users = integer_in(users.rows.at(0), 0);
    numbers.active_users = integer_in(users.rows.at(0), 1);
    numbers.admins = integer_in(users.rows.at(0), 2);
    for (const auto& row : db_.execute(R"(SELECT "type", "status", "desiredState", COUNT(*) FROM "workspaces"
                                          GROUP BY "type", "status", "desiredState"
                                          ORDER BY "type", "status", "desiredState")")
                               .rows)
        numbers.workspaces.push_back({.type = Codec<std::string>::decode(row.value(0)).value_or(""),
                                      .status = enum_in(row, 1, model::WorkspaceStatus::kActive),
                                      .desired_state = enum_in(row, 2, model::DesiredState::kStopped),
                                      .count = integer_in(row, 3)});
    for (const auto& row : db_.execute(R"(SELECT "type", "resourceLimits", COUNT(*) FROM "workspaces"
                                          WHERE "desiredState" = 'running' GROUP BY "type", "resourceLimits")")
                               .rows)
        numbers.running.push_back(
            {.type = Codec<std::string>::decode(row.value(0)).value_or(""),
             .limits = Codec<model::SomeLimits>::decode(row.value(1)).value_or(model::SomeLimits()),
             .count = integer_in(row, 2)});
    numbers.ended = operation_counts(db_.execute(
        R"(SELECT "kind", "state", COUNT(*) FROM "agentdb9_operations" WHERE "finishedAt" >= $1
           GROUP BY "kind", "state" ORDER BY "kind", "state")",
        {encode(since)}));
    numbers.open = operation_counts(db_.execute(
        R"(SELECT "kind", "state", COUNT(*) FROM "agentdb9_operations" WHERE "state" IN ('pending', 'running')
           GROUP BY "kind", "state" ORDER BY "kind", "state")"));
    add_failures(numbers, since, failures);
    numbers.projects = count_in(db_, R"(SELECT COUNT(*) FROM "projects")");
    numbers.project_volumes =
        count_in(db_, R"(SELECT COUNT(*) FROM "projects" WHERE "volumeName" IS NOT NULL)");
    numbers.homes = count_in(db_, R"(SELECT COUNT(*) FROM "workspaces" WHERE "volumeName" IS NOT NULL)");
    numbers.trash = count_in(db_, R"(SELECT COUNT(*) FROM "agentdb9_volume_tombstones"
                                     WHERE "restoredAt" IS NULL AND "purgedAt" IS NULL)");
    numbers.volume_bytes =
        count_in(db_, R"(SELECT CAST(COALESCE(SUM("bytes"), 0) AS bigint) FROM "agentdb9_volume_use")");
    for (const auto& row : db_.execute(R"(SELECT "holder", COUNT(*) FROM "agentdb9_leases" WHERE "until" > $1
                                          GROUP BY "holder")",
                                       {encode(db_.now())})
                               .rows)
        numbers.leases.emplace(Codec<std::string>::decode(row.value(0)).value_or(""), integer_in(row, 1));
    return numbers;
}

void Administration::add_failures(InstallationNumbers& numbers, model::Time since, std::size_t most) {
    auto failed = operation_table().select(
        db_, R"(WHERE "finishedAt" >= $1 AND "state" = 'failed' ORDER BY "finishedAt" DESC, "id" LIMIT $2)",
        {encode(since), static_cast<std::int64_t>(most)});
    std::set<model::WorkspaceId> ids;
    for (const auto& each : failed)
        ids.insert(each.workspace_id);
    const auto names = texts_of(db_, "workspaces", "name", ids);
    std::set<model::UserId> owners;
    std::map<model::WorkspaceId, model::UserId> owner_of;
    for (const auto& [workspace, owner] : texts_of(db_, "workspaces", "userId", ids)) {
        if (const auto id = model::UserId::parse(owner)) {
            owners.insert(*id);
            owner_of.emplace(workspace, *id);
        }
    }
    const auto emails = texts_of(db_, "users", "email", owners);
    for (auto& each : failed) {
        FailedOperation row{.operation = std::move(each), .workspace_name = {}, .user_email = {}};
        row.workspace_name = text_of(names, row.operation.workspace_id);
        if (const auto owner = owner_of.find(row.operation.workspace_id); owner != owner_of.end())
            row.user_email = text_of(emails, owner->second);
        numbers.failed.push_back(std::move(row));
    }
}

}  // namespace agentdb9::store

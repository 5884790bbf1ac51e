#include "store/existing_data.hpp"

#include <algorithm>
#include <array>

namespace agentdb9::store {
namespace {

struct LaterColumn {
    std::string_view table;
    std::string_view column;
    std::string_view type;
};

constexpr std::array kLaterColumns{
    LaterColumn{"projects", "localPath", "varchar"},
    LaterColumn{"projects", "framework", "varchar"},
    LaterColumn{"projects", "agents", "text"},
    LaterColumn{"projects", "workspaceId", "varchar"},
    LaterColumn{"projects", "workspaceType", "varchar"},
    LaterColumn{"projects", "volumePath", "varchar"},
    LaterColumn{"projects", "volumeName", "varchar"},
    LaterColumn{"workspaces", "description", "text"},
    LaterColumn{"workspaces", "containerName", "varchar"},
    LaterColumn{"workspaces", "volumeName", "varchar"},
    LaterColumn{"workspaces", "isDefault", "boolean"},
    LaterColumn{"users", "preferences", "text"},
    LaterColumn{"users", "lastLoginAt", "timestamp"},
};

// A statement, and what to say when it changed something: "{n} …".
struct Repair {
    std::string_view sql;
    std::string_view note;
};

// Ids are uuid in one table and varchar in the next: they are compared as texts.
constexpr std::array kRepairs{
    Repair{R"(UPDATE "workspaces" SET "status" = 'active'
              WHERE "status" NOT IN ('active', 'inactive', 'archived', 'running', 'stopped', 'error'))",
           "{n} workspaces had a status that does not exist: they are 'active' now."},
    Repair{
        R"(UPDATE "workspaces" SET "currentProjectId" = NULL
              WHERE "currentProjectId" IS NOT NULL AND NOT EXISTS (
                  SELECT 1 FROM "projects" WHERE CAST("projects"."id" AS text) = CAST("workspaces"."currentProjectId" AS text)
                     AND CAST("projects"."userId" AS text) = CAST("workspaces"."userId" AS text)))",
        "{n} workspaces had a current project that does not exist or is another user's: they have none now."},
    Repair{R"(UPDATE "projects" SET "workspaceId" = NULL, "workspaceType" = NULL
              WHERE "workspaceId" IS NOT NULL AND NOT EXISTS (
                  SELECT 1 FROM "workspaces" WHERE CAST("workspaces"."id" AS text) = CAST("projects"."workspaceId" AS text)
                     AND CAST("workspaces"."userId" AS text) = CAST("projects"."userId" AS text)))",
           "{n} projects were assigned to a workspace that does not exist or is another user's: they are "
           "unassigned "
           "now."},
    Repair{R"(UPDATE "workspaces" SET "containerName" = 'agentdb9-workspace-' || CAST("id" AS text)
              WHERE "containerName" IS NULL OR "containerName" = '')",
           "{n} workspaces had no container name: they have the usual one now."},
    Repair{
        R"(UPDATE "workspaces" SET "isDefault" = false
              WHERE "isDefault" AND EXISTS (
                  SELECT 1 FROM "workspaces" AS "other"
                  WHERE CAST("other"."userId" AS text) = CAST("workspaces"."userId" AS text) AND "other"."isDefault"
                    AND ("other"."createdAt" > "workspaces"."createdAt" OR
                         ("other"."createdAt" = "workspaces"."createdAt" AND "other"."id" > "workspaces"."id"))))",
        "{n} workspaces were a default beside a newer one of the same user: the newest is the default now."},
};

// A query for rows that stay as they are: id and what to call them.
struct Finding {
    std::string_view sql;
    std::string_view note;
};

constexpr std::array kFindings{
    Finding{R"(SELECT CAST("id" AS text) FROM "workspaces" WHERE length("name") < 1 OR length("name") > 100)",
            "The workspace {id} has a name of no or of more than 100 characters: it works, but must get "
            "another one "
            "when it is changed."},
    Finding{R"(SELECT CAST("id" AS text) FROM "projects" WHERE length("name") < 1 OR length("name") > 100)",
            "The project {id} has a name of no or of more than 100 characters: it works, but must get "
            "another one "
            "when it is changed."},
    Finding{R"(SELECT CAST("id" AS text) FROM "workspaces" WHERE NOT EXISTS (
                   SELECT 1 FROM "users" WHERE CAST("users"."id" AS text) = CAST("workspaces"."userId" AS text)))",
            "The workspace {id} belongs to no user: nobody can reach it."},
    Finding{R"(SELECT CAST("id" AS text) FROM "projects" WHERE NOT EXISTS (
                   SELECT 1 FROM "users" WHERE CAST("users"."id" AS text) = CAST("projects"."userId" AS text)))",
            "The project {id} belongs to no user: nobody can reach it, its volume stays."},
    Finding{R"(SELECT CAST("id" AS text) FROM "users" WHERE EXISTS (
                   SELECT 1 FROM "users" AS "other" WHERE lower("other"."email") = lower("users"."email")
                      AND "other"."id" <> "users"."id"))",
            "The user {id} shares an email address with another one but for the case of its letters: only "
            "one of them "
            "can log in. Change one with 'agentdb9 user'."},
};

std::string filled(std::string_view note, std::string_view placeholder, std::string_view value) {
    std::string text(note);
    text.replace(text.find(placeholder), placeholder.size(), value);
    return text;
}

}  // namespace

void complete_existing_tables(Connection& db) {
    for (const auto& each : kLaterColumns) {
        if (!db.has_table(each.table) || db.has_column(each.table, each.column)) continue;
        db.execute_script("ALTER TABLE \"" + std::string(each.table) + "\" ADD COLUMN \"" +
                          std::string(each.column) + "\" " + std::string(each.type));
    }
}

std::vector<std::string> repair_existing_rows(Connection& db) {
    constexpr std::size_t kMostNamed = 20;
    std::vector<std::string> notes;
    for (const auto& repair : kRepairs) {
        const auto changed = db.execute(repair.sql).affected;
        if (changed > 0) notes.push_back(filled(repair.note, "{n}", std::to_string(changed)));
    }
    for (const auto& finding : kFindings) {
        const auto rows = db.execute(finding.sql).rows;
        for (std::size_t i = 0; i < std::min(rows.size(), kMostNamed); ++i)
            notes.push_back(filled(finding.note, "{id}", rows[i].text(0)));
        if (rows.size() > kMostNamed)
            notes.push_back("… and " + std::to_string(rows.size() - kMostNamed) + " more like it.");
    }
    return notes;
}

}  // namespace agentdb9::store

#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::Backup;

constexpr SortKey kNewestFirst[] = {{"createdAt", SortKey::Kind::kTime}, {"id", SortKey::Kind::kId}};
constexpr auto kNewestFirstSql = R"( ORDER BY "createdAt" DESC, "id" DESC)";

const Table<Backup>& table() {
    static const Table<Backup> table(
        "agentdb9_backups",
        Backup{.id = nil_id<model::BackupId>(),
               .project_id = nil_id<model::ProjectId>(),
               .user_id = nil_id<model::UserId>(),
               .state = model::BackupState::kFailed},
        {key<&Backup::id>("id"), fixed<&Backup::project_id>("projectId"), fixed<&Backup::user_id>("userId"),
         fixed<&Backup::project_name>("projectName"), column<&Backup::name>("name"),
         column<&Backup::state>("state"), column<&Backup::file>("file"),
         column<&Backup::size_bytes>("sizeBytes"), column<&Backup::content_bytes>("contentBytes"),
         column<&Backup::files>("files"), column<&Backup::sha256>("sha256"),
         column<&Backup::consistent>("consistent"), fixed<&Backup::scheduled>("scheduled"),
         fixed<&Backup::snapshot>("snapshot"), fixed<&Backup::created_at>("createdAt"),
         column<&Backup::finished_at>("finishedAt"), column<&Backup::error>("error")});
    return table;
}

}  // namespace

void Backups::insert(const Backup& backup) {
    table().insert(db_, backup);
}

void Backups::update(const Backup& backup) {
    table().update(db_, backup);
}

void Backups::remove(const model::BackupId& id) {
    db_.execute(R"(DELETE FROM "agentdb9_backups" WHERE "id" = $1)", {id.str()});
}

std::optional<Backup> Backups::find(const model::BackupId& id) {
    return table().select_one(db_, R"(WHERE "id" = $1)", {id.str()});
}

Listing<Backup> Backups::of_project(const model::UserId& user, const model::ProjectId& project,
                                    const Page& page) {
    return table().page(db_, R"("userId" = $1 AND "projectId" = $2 AND "state" <> 'deleting')",
                        {user.str(), project.str()}, kNewestFirst, page);
}

Listing<Backup> Backups::of_user(const model::UserId& user, const Page& page) {
    return table().page(db_, R"("userId" = $1 AND "state" <> 'deleting')", {user.str()}, kNewestFirst, page);
}

std::vector<Backup> Backups::scheduled() {
    return table().select(
        db_, R"(WHERE "scheduled" = $1 AND "state" <> 'deleting')" + std::string(kNewestFirstSql),
        {encode(true)});
}

std::optional<Backup> Backups::latest_complete(const model::ProjectId& project) {
    return table().select_one(
        db_, R"(WHERE "projectId" = $1 AND "state" = 'complete')" + std::string(kNewestFirstSql),
        {project.str()});
}

std::vector<Backup> Backups::with_leftovers() {
    return table().select(db_, R"(WHERE "state" = 'deleting' OR ("state" = 'failed' AND "file" <> ''))" +
                                   std::string(kNewestFirstSql));
}

std::vector<Backup> Backups::all() {
    return table().select(db_, kNewestFirstSql);
}

}  // namespace agentdb9::store

#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::Tombstone;

// A date that cannot be read is no permission to remove anything.
constexpr model::Time kNever = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);

const Table<Tombstone>& table() {
    static const Table<Tombstone> table(
        "agentdb9_volume_tombstones",
        Tombstone{
            .id = nil_id<model::TombstoneId>(), .user_id = nil_id<model::UserId>(), .purge_after = kNever},
        {key<&Tombstone::id>("id"), column<&Tombstone::kind>("kind"),
         column<&Tombstone::volume_name>("volumeName"), column<&Tombstone::user_id>("userId"),
         column<&Tombstone::owner_id>("ownerId"), column<&Tombstone::owner_name>("ownerName"),
         column<&Tombstone::snapshot>("snapshot"), column<&Tombstone::deleted_at>("deletedAt"),
         column<&Tombstone::purge_after>("purgeAfter"), column<&Tombstone::restored_at>("restoredAt"),
         column<&Tombstone::purging_since>("purgingSince"), column<&Tombstone::purged_at>("purgedAt")});
    return table;
}

}  // namespace

void Tombstones::insert(const Tombstone& tombstone) {
    table().insert(db_, tombstone);
}

void Tombstones::update(const Tombstone& tombstone) {
    table().update(db_, tombstone);
}

std::optional<Tombstone> Tombstones::find(const model::TombstoneId& id) {
    return table().select_one(db_, R"(WHERE "id" = $1)", {id.str()});
}

std::optional<Tombstone> Tombstones::find_open_by_volume(const std::string& volume) {
    return table().select_one(
        db_, R"(WHERE "volumeName" = $1 AND "restoredAt" IS NULL AND "purgedAt" IS NULL)", {volume});
}

std::vector<Tombstone> Tombstones::of_owner(const std::string& owner) {
    return table().select(db_, R"(WHERE "ownerId" = $1)", {owner});
}

std::vector<Tombstone> Tombstones::open(const std::optional<model::UserId>& user) {
    std::string rest = R"(WHERE "restoredAt" IS NULL AND "purgedAt" IS NULL)";
    std::vector<Value> parameters;
    if (user) {
        rest += R"( AND "userId" = $1)";
        parameters.emplace_back(user->str());
    }
    return table().select(db_, rest + R"( ORDER BY "deletedAt" DESC, "id" DESC)", parameters);
}

}  // namespace agentdb9::store

#include "model/life_event.hpp"

#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::LifeEvent;

constexpr SortKey kNewestFirst[] = {{"sequence", SortKey::Kind::kInteger}};

const Table<LifeEvent>& table() {
    static const Table<LifeEvent> table(
        "agentdb9_life_events",
        LifeEvent{.id = nil_id<model::LifeEventId>(), .workspace_id = nil_id<model::WorkspaceId>()},
        {key<&LifeEvent::id>("id"), column<&LifeEvent::workspace_id>("workspaceId"),
         column<&LifeEvent::kind>("kind"), fixed<&LifeEvent::at>("at"), column<&LifeEvent::actor>("actor"),
         column<&LifeEvent::actor_id>("actorId"), column<&LifeEvent::why>("why"),
         column<&LifeEvent::operation_id>("operationId"), column<&LifeEvent::details>("details")});
    return table;
}

// The table's own insert with the next number of the workspace beside it.
const std::string& insert_sql() {
    static const std::string sql = [] {
        std::string text =
            R"(INSERT INTO "agentdb9_life_events" ()" + table().names() + R"(, "sequence") VALUES ()";
        const std::size_t count = table().column_count();
        for (std::size_t i = 1; i <= count; ++i)
            text += "$" + std::to_string(i) + ", ";
        return text +
               R"((SELECT COALESCE(MAX("sequence"), 0) + 1 FROM "agentdb9_life_events" WHERE "workspaceId" = $)" +
               std::to_string(count + 1) + "))";
    }();
    return sql;
}

}  // namespace

void LifeEvents::insert(const LifeEvent& event) {
    auto parameters = table().values_of(event);
    parameters.emplace_back(event.workspace_id.str());
    db_.execute(insert_sql(), parameters);
    db_.notify("workspace " + event.workspace_id.str());
}

Listing<LifeEvent> LifeEvents::of_workspace(const model::WorkspaceId& workspace, const Page& page) {
    return table().page(db_, R"("workspaceId" = $1)", {workspace.str()}, kNewestFirst, page);
}

std::optional<model::Actor> LifeEvents::requester(const model::WorkspaceId& workspace,
                                                  const model::OperationId& operation) {
    const auto event =
        table().select_one(db_, R"(WHERE "workspaceId" = $1 AND "operationId" = $2 ORDER BY "sequence")",
                           {workspace.str(), operation.str()});
    if (!event) return std::nullopt;
    return model::Actor{event->actor, event->actor_id};
}

std::vector<LifeEvent> LifeEvents::crashes(const model::WorkspaceId& workspace, model::Time since) {
    return table().select(db_, R"(
        WHERE "workspaceId" = $1 AND "kind" = 'crashed' AND "at" >= $2
          AND "sequence" > (SELECT COALESCE(MAX("asked"."sequence"), 0) FROM "agentdb9_life_events" AS "asked"
                            WHERE "asked"."workspaceId" = $3
                              AND "asked"."kind" IN ('start_requested', 'woken', 'restart_requested',
                                                     'switch_requested'))
        ORDER BY "sequence" DESC)",
                          {workspace.str(), encode(since), workspace.str()});
}

std::optional<LifeEvent> LifeEvents::latest(const model::WorkspaceId& workspace, model::LifeEventKind kind) {
    return table().select_one(db_, R"(WHERE "workspaceId" = $1 AND "kind" = $2 ORDER BY "sequence" DESC)",
                              {workspace.str(), encode(kind)});
}

void LifeEvents::remove_all(const model::WorkspaceId& workspace) {
    db_.execute(R"(DELETE FROM "agentdb9_life_events" WHERE "workspaceId" = $1)", {workspace.str()});
}

std::int64_t LifeEvents::prune(model::Time before, std::int64_t most) {
    return db_
        .execute(R"(DELETE FROM "agentdb9_life_events"
                    WHERE "at" < $1
                       OR "sequence" <= (SELECT MAX("newer"."sequence") FROM "agentdb9_life_events" AS "newer"
                                         WHERE "newer"."workspaceId" = "agentdb9_life_events"."workspaceId") - $2
                       OR ("workspaceId" NOT IN (SELECT CAST("id" AS text) FROM "workspaces")
                           AND "workspaceId" NOT IN (SELECT "ownerId" FROM "agentdb9_volume_tombstones"
                                                     WHERE "restoredAt" IS NULL AND "purgedAt" IS NULL)))",
                 {encode(before), most})
        .affected;
}

}  // namespace agentdb9::store

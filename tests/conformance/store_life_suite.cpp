#include <gmock/gmock.h>

#include "conformance/store_suite.hpp"
#include "model/life_event.hpp"

namespace agentdb9::store {
namespace {

using model::ActorKind;
using model::LifeEvent;
using model::LifeEventKind;
using testing::ElementsAre;
using testing::IsEmpty;

LifeEvent make_event(const model::WorkspaceId& workspace, LifeEventKind kind, std::int64_t ms) {
    return model::make_life_event(workspace, kind, at(ms), {ActorKind::kUser, kOwner.str()}, "It was so.");
}

void insert(Store& store, const LifeEvent& event) {
    store.transact(Mode::kWrite, [&](Transaction& tx) { tx.life_events().insert(event); });
}

std::vector<LifeEvent> events_of(Store& store, const model::WorkspaceId& workspace) {
    std::vector<LifeEvent> rows;
    store.transact(Mode::kRead,
                   [&](Transaction& tx) { rows = tx.life_events().of_workspace(workspace).rows; });
    return rows;
}

model::WorkspaceId insert_workspace(Store& store) {
    const auto workspace = make_workspace(kOwner, "w");
    store.transact(Mode::kWrite, [&](Transaction& tx) { tx.workspaces().insert(workspace); });
    return workspace.id;
}

TEST_P(StoreSuite, EventsAreKeptAsTheyAre) {
    auto rich = make_event(kWorkspace, LifeEventKind::kFailed, 1);
    rich.actor = ActorKind::kToken;
    rich.operation_id = model::OperationId::generate();
    rich.details = {{"code", "image_unavailable"}, {"tries", 3}};
    auto plain = make_event(kWorkspace, LifeEventKind::kCreated, 2);
    plain.actor = ActorKind::kServer;
    plain.actor_id.reset();
    insert(store(), rich);
    insert(store(), plain);
    insert(store(), make_event(model::WorkspaceId::generate(), LifeEventKind::kCreated, 3));
    EXPECT_THAT(events_of(store(), kWorkspace), ElementsAre(plain, rich));
}

// The clock may be put back: what was told last is told first.
TEST_P(StoreSuite, TheNewestIsWhatWasToldLastAndPagesGoOn) {
    std::vector<LifeEvent> all;
    for (int i = 0; i < 5; ++i) {
        all.push_back(make_event(kWorkspace, LifeEventKind::kStarted, 1000 - i));
        insert(store(), all.back());
    }
    const auto page = [&](std::optional<std::string> cursor) {
        return read([=](Transaction& tx) {
            return tx.life_events().of_workspace(kWorkspace, {.limit = 2, .cursor = cursor});
        });
    };
    const auto first = page(std::nullopt);
    EXPECT_THAT(first.rows, ElementsAre(all[4], all[3]));
    insert(store(), make_event(kWorkspace, LifeEventKind::kStopped, 1));
    const auto second = page(first.next);
    EXPECT_THAT(second.rows, ElementsAre(all[2], all[1])) << "what comes meanwhile moves nothing";
    const auto third = page(second.next);
    EXPECT_THAT(third.rows, ElementsAre(all[0]));
    EXPECT_FALSE(third.next);
}

TEST_P(StoreSuite, WhoAskedForAnOperationIsKnownByItsFirstEvent) {
    const auto operation = model::OperationId::generate();
    auto asked = make_event(kWorkspace, LifeEventKind::kStartRequested, 1);
    asked.actor = ActorKind::kToken;
    asked.actor_id = kOther.str();
    asked.operation_id = operation;
    auto reached = make_event(kWorkspace, LifeEventKind::kStarted, 2);
    reached.operation_id = operation;
    insert(store(), asked);
    insert(store(), reached);
    const auto requester = [&](const model::WorkspaceId& workspace, const model::OperationId& id) {
        return read([=](Transaction& tx) { return tx.life_events().requester(workspace, id); });
    };
    EXPECT_EQ(requester(kWorkspace, operation), (model::Actor{ActorKind::kToken, kOther.str()}));
    EXPECT_FALSE(requester(kWorkspace, model::OperationId::generate()));
    EXPECT_FALSE(requester(model::WorkspaceId::generate(), operation));
}

TEST_P(StoreSuite, WhatIsOldOrTooMuchGoes) {
    const auto workspace = insert_workspace(store());
    const auto other = insert_workspace(store());
    std::vector<LifeEvent> all;
    for (int i = 0; i < 6; ++i) {
        all.push_back(make_event(workspace, LifeEventKind::kStarted, 1000 + i));
        insert(store(), all.back());
    }
    const auto lone = make_event(other, LifeEventKind::kCreated, 1000);
    insert(store(), lone);
    const auto prune = [&](std::int64_t before, std::int64_t most) {
        return write([=](Transaction& tx) { return tx.life_events().prune(at(before), most); });
    };
    EXPECT_EQ(prune(0, 100), 0);
    EXPECT_EQ(prune(0, 4), 2);
    EXPECT_THAT(events_of(store(), workspace), ElementsAre(all[5], all[4], all[3], all[2]));
    EXPECT_THAT(events_of(store(), other), ElementsAre(lone));
    EXPECT_EQ(prune(1004, 100), 3);
    EXPECT_THAT(events_of(store(), workspace), ElementsAre(all[5], all[4]));
    EXPECT_THAT(events_of(store(), other), IsEmpty());
}

TEST_P(StoreSuite, WhatBelongsToNoWorkspaceGoesUnlessItLiesInTheTrash) {
    const auto workspace = insert_workspace(store());
    const auto in_trash = model::WorkspaceId::generate();
    const auto purged = model::WorkspaceId::generate();
    const auto gone = model::WorkspaceId::generate();
    write([&](Transaction& tx) {
        auto tombstone = make_tombstone(kOwner, "home-1", 0);
        tombstone.kind = model::VolumeKind::kHome;
        tombstone.owner_id = in_trash.str();
        tx.tombstones().insert(tombstone);
        tombstone = make_tombstone(kOwner, "home-2", 0);
        tombstone.kind = model::VolumeKind::kHome;
        tombstone.owner_id = purged.str();
        tombstone.purged_at = at(5);
        tx.tombstones().insert(tombstone);
    });
    for (const auto& id : {workspace, in_trash, purged, gone})
        insert(store(), make_event(id, LifeEventKind::kCreated, 1));
    EXPECT_EQ(write([](Transaction& tx) { return tx.life_events().prune(at(0), 100); }), 2);
    EXPECT_EQ(events_of(store(), workspace).size(), 1U);
    EXPECT_EQ(events_of(store(), in_trash).size(), 1U);
    EXPECT_THAT(events_of(store(), purged), IsEmpty());
    EXPECT_THAT(events_of(store(), gone), IsEmpty());
    write([&](Transaction& tx) { tx.life_events().remove_all(in_trash); });
    EXPECT_THAT(events_of(store(), in_trash), IsEmpty());
    EXPECT_EQ(events_of(store(), workspace).size(), 1U);
}

}  // namespace
}  // namespace agentdb9::store

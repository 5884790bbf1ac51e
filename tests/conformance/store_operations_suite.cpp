#include <gmock/gmock.h>

#include "conformance/store_suite.hpp"

namespace agentdb9::store {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST_P(StoreSuite, KeepsEveryFieldOfAnOperation) {
    auto operation = make_operation(kWorkspace, 1);
    write([&](Transaction& tx) { tx.operations().insert(operation); });
    operation.kind = model::OperationKind::kSwitch;
    operation.state = model::OperationState::kFailed;
    operation.phase = "pulling";
    operation.progress = 42;
    operation.error_code = "image_missing";
    operation.error = "No such image.";
    operation.requested_by = kOwner;
    operation.project_id = model::ProjectId::generate();
    operation.force = true;
    operation.started_at = at(2);
    operation.finished_at = at(3);
    write([&](Transaction& tx) { tx.operations().update(operation); });
    const auto found = read([&](Transaction& tx) { return tx.operations().find(operation.id); });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->workspace_id, kWorkspace);
    EXPECT_EQ(found->kind, model::OperationKind::kSwitch);
    EXPECT_EQ(found->state, model::OperationState::kFailed);
    EXPECT_EQ(found->phase, "pulling");
    EXPECT_EQ(found->progress, 42);
    EXPECT_EQ(found->error_code, "image_missing");
    EXPECT_EQ(found->error, "No such image.");
    EXPECT_EQ(found->requested_by, kOwner);
    EXPECT_EQ(found->project_id, operation.project_id);
    EXPECT_TRUE(found->force);
    EXPECT_EQ(found->created_at, at(1));
    EXPECT_EQ(found->started_at, at(2));
    EXPECT_EQ(found->finished_at, at(3));
}

TEST_P(StoreSuite, AWorkspaceHasAtMostOneOpenOperation) {
    auto first = make_operation(kWorkspace, 1);
    write([&](Transaction& tx) { tx.operations().insert(first); });
    const auto second = make_operation(kWorkspace, 1);
    const auto insert = [&] { write([&](Transaction& tx) { tx.operations().insert(second); }); };
    EXPECT_EQ(word_of(insert), "operation_in_progress");
    write([&](Transaction& tx) {
        EXPECT_EQ(tx.operations().open_of(kWorkspace)->id, first.id);
        first.state = model::OperationState::kSuperseded;
        tx.operations().update(first);
        EXPECT_FALSE(tx.operations().open_of(kWorkspace));
        tx.operations().insert(second);
        EXPECT_EQ(tx.operations().open_of(kWorkspace)->id, second.id);
        tx.operations().insert(make_operation(model::WorkspaceId::generate()));
    });
}

TEST_P(StoreSuite, OrdersOperationsAsTheyWereInserted) {
    write([](Transaction& tx) {
        std::vector<model::OperationId> inserted;
        for (int i = 0; i < 12; ++i) {
            // The clock stands still, or even goes back.
            auto operation = make_operation(kWorkspace, i < 6 ? 5 : 4);
            operation.state = model::OperationState::kSucceeded;
            tx.operations().insert(operation);
            inserted.insert(inserted.begin(), operation.id);
        }
        EXPECT_EQ(tx.operations().latest_of(kWorkspace)->id, inserted.front());
        Page page{.limit = 5};
        std::vector<model::OperationId> seen;
        do {
            const auto listing = tx.operations().of_workspace(kWorkspace, page);
            for (const auto& row : listing.rows)
                seen.push_back(row.id);
            page.cursor = listing.next;
        } while (page.cursor && seen.size() < 50);
        EXPECT_EQ(seen, inserted);
        EXPECT_FALSE(tx.operations().latest_of(model::WorkspaceId::generate()));
    });
}

TEST_P(StoreSuite, PrunesOldOperationsButTheLatestOfALiveWorkspace) {
    write([](Transaction& tx) {
        const auto workspace = make_workspace(kOwner, "w");
        tx.workspaces().insert(workspace);
        const auto add = [&](const model::WorkspaceId& of, std::optional<std::int64_t> finished) {
            auto operation = make_operation(of);
            if (finished) {
                operation.state = model::OperationState::kSucceeded;
                operation.finished_at = at(*finished);
            }
            tx.operations().insert(operation);
            return operation.id;
        };
        const auto old = add(workspace.id, 1);
        const auto recent = add(workspace.id, 100);
        const auto latest = add(workspace.id, 2);
        const auto gone = add(model::WorkspaceId::generate(), 3);
        const auto open = add(model::WorkspaceId::generate(), std::nullopt);
        EXPECT_EQ(tx.operations().prune(at(50)), 2);
        EXPECT_FALSE(tx.operations().find(old));
        EXPECT_FALSE(tx.operations().find(gone));
        EXPECT_TRUE(tx.operations().find(recent));
        EXPECT_TRUE(tx.operations().find(latest));
        EXPECT_TRUE(tx.operations().find(open));
        EXPECT_EQ(tx.operations().prune(at(50)), 0);
    });
}

TEST_P(StoreSuite, KeepsTombstonesUntilRestoredOrPurged) {
    write([](Transaction& tx) {
        auto first = make_tombstone(kOwner, "v1", 1);
        first.kind = model::VolumeKind::kHome;
        auto second = make_tombstone(kOther, "v2", 2);
        tx.tombstones().insert(first);
        tx.tombstones().insert(second);
        ASSERT_THAT(tx.tombstones().open(std::nullopt), SizeIs(2));
        EXPECT_EQ(tx.tombstones().open(std::nullopt).front().id, second.id);
        ASSERT_THAT(tx.tombstones().open(kOwner), SizeIs(1));
        const auto found = tx.tombstones().find_open_by_volume("v1");
        ASSERT_TRUE(found);
        EXPECT_EQ(found->kind, model::VolumeKind::kHome);
        EXPECT_EQ(found->owner_id, "owner");
        EXPECT_EQ(found->owner_name, "A project");
        EXPECT_EQ(found->snapshot, first.snapshot);
        EXPECT_EQ(found->deleted_at, at(1));
        EXPECT_EQ(found->purge_after, at(1001));
        EXPECT_FALSE(found->purging_since);
        // One whose removal has begun is still open.
        first.purging_since = at(8);
        tx.tombstones().update(first);
        EXPECT_EQ(tx.tombstones().find_open_by_volume("v1")->purging_since, at(8));
        first.restored_at = at(9);
        second.purged_at = at(9);
        tx.tombstones().update(first);
        tx.tombstones().update(second);
        EXPECT_THAT(tx.tombstones().open(std::nullopt), IsEmpty());
        EXPECT_FALSE(tx.tombstones().find_open_by_volume("v1"));
        EXPECT_EQ(tx.tombstones().find(first.id)->restored_at, at(9));
        EXPECT_EQ(tx.tombstones().find(second.id)->purged_at, at(9));
        tx.tombstones().insert(make_tombstone(kOwner, "v1", 10));
    });
    const auto again = [&] {
        write([](Transaction& tx) { tx.tombstones().insert(make_tombstone(kOwner, "v1", 11)); });
    };
    EXPECT_EQ(word_of(again), "duplicate");
}

}  // namespace
}  // namespace agentdb9::store

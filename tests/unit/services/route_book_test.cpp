#include "services/route_book.hpp"

#include "unit/services/fixture.hpp"

namespace agentdb9::services {
namespace {

using model::RouteState;

class RouteBookTest : public ServicesTest {
  protected:
    RouteBookTest() {
        book_.set_publisher([this](auto table) { return note(*this, std::move(table)); });
    }
    static Task<> note(RouteBookTest& test, std::shared_ptr<const model::RouteTable> table) {
        test.tables_.push_back(std::move(table));
        co_return;
    }
    model::Workspace workspace(const std::string& type = "vscode", bool is_default = false) {
        model::Workspace row{
            .id = base::WorkspaceId::generate(), .name = "w", .user_id = user_, .type = type};
        row.is_default = is_default;
        row.created_at = clock_.now() + base::Duration(++made_);
        return row;
    }
    model::Instance instance(const model::Workspace& of, const std::string& id) {
        model::Instance made{.id = id, .workspace_id = of.id};
        made.address = "10.0.0.9";
        return made;
    }
    void load(std::vector<model::Workspace> rows) {
        EXPECT_TRUE(run(book_.load(std::move(rows), book_.changes())));
    }
    const model::RouteTable& table() { return *tables_.back(); }
    const model::Route& route(const model::Workspace& of) { return *table().find(of.id); }
    base::WorkspaceId default_of(const std::string& type) { return table().defaults.at({user_, type}); }

    model::Catalogue catalogue_{model::built_in_types()};
    base::UserId user_ = base::UserId::generate();
    std::vector<std::shared_ptr<const model::RouteTable>> tables_;
    RouteBook book_{catalogue_};
    int made_ = 0;
};

TEST_F(RouteBookTest, WhatShouldRunIsHeldUntilItHasBeenLookedAt) {
    auto running = workspace();
    running.desired_state = model::DesiredState::kRunning;
    const auto stopped = workspace("notebook");
    load({running, stopped});
    EXPECT_EQ(route(running).state, RouteState::kHeld);
    EXPECT_EQ(route(stopped).state, RouteState::kStopped);
    EXPECT_EQ(route(stopped).default_port, 8888);
    EXPECT_FALSE(route(stopped).strip_prefix);
    EXPECT_TRUE(book_.routed(running.id));
    EXPECT_FALSE(book_.routed(stopped.id));
}

// Another server tells of a new workspace while this one, which begins, is reading which there are.
TEST_F(RouteBookTest, WhatIsToldWhileTheRowsAreReadStays) {
    const auto known = workspace();
    const auto made = workspace();
    const auto as_of = book_.changes();
    run(book_.upsert(made));
    run(book_.publish(made.id, instance(made, "c1")));
    EXPECT_FALSE(run(book_.load({known}, as_of)));
    EXPECT_EQ(book_.serving(made.id), "c1");
    load({known, made});
    EXPECT_EQ(book_.serving(made.id), "c1");
    EXPECT_EQ(route(known).state, RouteState::kStopped);
    EXPECT_EQ(book_.routed(), std::vector{made.id});
}

TEST_F(RouteBookTest, WhetherARequestMayWakeItIsKeptWhateverBecomesOfIt) {
    auto row = workspace();
    row.wake_on_request = true;
    run(book_.upsert(row));
    EXPECT_TRUE(route(row).wake_on_request);
    run(book_.hold(row.id));
    EXPECT_TRUE(route(row).wake_on_request);
    run(book_.publish(row.id, instance(row, "c1")));
    EXPECT_TRUE(route(row).wake_on_request);
    run(book_.stop(row.id));
    EXPECT_TRUE(route(row).wake_on_request);
    row.wake_on_request = false;
    run(book_.upsert(row));
    EXPECT_FALSE(route(row).wake_on_request);
    load({row});
    EXPECT_FALSE(route(row).wake_on_request);
}

TEST_F(RouteBookTest, PublishesHoldsAndStops) {
    const auto row = workspace();
    run(book_.upsert(row));
    run(book_.publish(row.id, instance(row, "c1")));
    EXPECT_EQ(route(row).state, RouteState::kReady);
    EXPECT_EQ(book_.serving(row.id), "c1");
    EXPECT_EQ(route(row).endpoint(8080), (model::Endpoint{"10.0.0.9", 8080}));
    const auto before = tables_.back();
    run(book_.hold(row.id));
    EXPECT_EQ(route(row).state, RouteState::kHeld);
    EXPECT_FALSE(route(row).endpoint(8080));
    EXPECT_EQ(book_.serving(row.id), "");
    run(book_.stop(row.id));
    EXPECT_EQ(route(row).state, RouteState::kStopped);
    // A table that somebody still reads does not change under them.
    EXPECT_EQ(before->find(row.id)->instance, "c1");
    EXPECT_LT(before->version, table().version);
}

TEST_F(RouteBookTest, AChangedRowKeepsItsRoute) {
    auto row = workspace();
    run(book_.upsert(row));
    run(book_.publish(row.id, instance(row, "c1")));
    row.is_default = true;
    run(book_.upsert(row));
    EXPECT_EQ(book_.serving(row.id), "c1");
    EXPECT_EQ(route(row).address, "10.0.0.9");
}

TEST_F(RouteBookTest, AfterAGapEverythingThatServesIsHeldAndNothingElse) {
    const auto serving = workspace();
    const auto stopped = workspace();
    load({serving, stopped});
    run(book_.publish(serving.id, instance(serving, "c1")));
    run(book_.hold_all());
    EXPECT_EQ(route(serving).state, RouteState::kHeld);
    EXPECT_FALSE(route(serving).address);
    EXPECT_EQ(route(stopped).state, RouteState::kStopped);
}

TEST_F(RouteBookTest, TheUseOfAnInstanceStaysReadableUntilItIsForgotten) {
    const auto row = workspace();
    run(book_.upsert(row));
    EXPECT_EQ(book_.use_of("c1"), nullptr);
    run(book_.publish(row.id, instance(row, "c1")));
    const auto use = route(row).use;
    use->requests_in_flight = 3;
    run(book_.hold(row.id));
    ASSERT_EQ(book_.use_of("c1"), use);
    book_.forget_use("c1");
    EXPECT_EQ(book_.use_of("c1"), nullptr);
}

TEST_F(RouteBookTest, WhatIsGoneIsNotThereAndIsNotMadeByARoute) {
    const auto row = workspace();
    run(book_.upsert(row));
    run(book_.remove(row.id));
    EXPECT_EQ(table().find(row.id), nullptr);
    run(book_.publish(row.id, instance(row, "c1")));
    run(book_.hold(row.id));
    EXPECT_EQ(table().find(row.id), nullptr);
}

TEST_F(RouteBookTest, ATypeLeadsToTheDefaultElseToTheNewest) {
    const auto older = workspace();
    const auto newer = workspace();
    auto chosen = workspace("vscode", true);
    chosen.created_at = older.created_at - 1h;
    load({older, newer});
    EXPECT_EQ(default_of("vscode"), newer.id);
    run(book_.upsert(chosen));
    EXPECT_EQ(default_of("vscode"), chosen.id);
    EXPECT_FALSE(table().defaults.contains({user_, "notebook"}));
    EXPECT_FALSE(table().defaults.contains({base::UserId::generate(), "vscode"}));
}

TEST_F(RouteBookTest, AnotherDefaultTakesThePlaceOfTheFormerOne) {
    auto first = workspace("vscode", true);
    auto second = workspace();
    second.created_at = first.created_at - 1h;
    load({first, second});
    second.is_default = true;
    run(book_.upsert(second));
    EXPECT_EQ(default_of("vscode"), second.id);
}

TEST_F(RouteBookTest, OneThatIsBeingDeletedIsMeantOnlyWhereThereIsNoOther) {
    auto going = workspace("vscode", true);
    const auto staying = workspace();
    load({going, staying});
    going.desired_state = model::DesiredState::kDeleted;
    going.is_default = false;
    run(book_.upsert(going));
    EXPECT_EQ(default_of("vscode"), staying.id);
    run(book_.remove(staying.id));
    EXPECT_EQ(default_of("vscode"), going.id);
}

TEST_F(RouteBookTest, ARefreshPutsRightWhatWasMissed) {
    const auto known = workspace();
    const auto gone = workspace();
    const auto missed = workspace();
    load({known, gone});
    run(book_.publish(known.id, instance(known, "c1")));
    run(book_.refresh({known, missed}, book_.changes()));
    EXPECT_EQ(table().routes.size(), 2U);
    EXPECT_EQ(book_.serving(known.id), "c1");
    EXPECT_NE(table().find(missed.id), nullptr);
    const auto tables = tables_.size();
    run(book_.refresh({known, missed}, book_.changes()));
    EXPECT_EQ(tables_.size(), tables) << "nothing new, nothing to tell";
}

TEST_F(RouteBookTest, ARefreshWithRowsReadBeforeAChangeDoesNothing) {
    const auto known = workspace();
    load({known});
    const auto as_of = book_.changes();
    const auto made_meanwhile = workspace();
    run(book_.upsert(made_meanwhile));
    run(book_.refresh({known}, as_of));
    EXPECT_NE(table().find(made_meanwhile.id), nullptr);
}

}  // namespace
}  // namespace agentdb9::services

// What happens to a user's workspaces, as their pages hear it.
#include "services/workspace_events.hpp"

#include <gmock/gmock.h>

#include "unit/services/monitoring_fixture.hpp"

namespace agentdb9::services {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

struct Page {
    std::vector<std::string> told;
    bool ended = false;
};

class WorkspaceEventsTest : public MonitoredWorkspace {
  protected:
    WorkspaceEventsTest() {
        reconciler_.on_change([this](const base::WorkspaceId& id) { events_.changed(id); });
        routes_.on_upsert([this](const model::Workspace& row) { events_.changed_of(row.user_id); });
    }
    ~WorkspaceEventsTest() override {
        run(pages_.close());
        run(events_.stop());
    }

    std::string text_of(const WorkspaceEvent& event) const {
        struct Text {
            const WorkspaceContainerService& containers;
            std::string operator()(const model::Workspace& row) const {
                return row.name + " " + std::string(model::to_text(containers.live_phase(row))) + "\n";
            }
            std::string operator()(const model::Operation& row) const {
                return std::string(model::to_text(row.kind)) + " " + std::string(model::to_text(row.state)) +
                       "\n";
            }
            std::string operator()(const model::LifeEvent& row) const {
                return "history " + std::string(model::to_text(row.kind)) + "\n";
            }
            std::string operator()(const WorkspacesThere& there) const {
                return "all " + std::to_string(there.ids.size()) + "\n";
            }
            std::string operator()(const WorkspaceGone&) const { return "gone\n"; }
        };
        return std::visit(Text{containers_}, event);
    }
    static Task<> listen(Page& page, std::shared_ptr<FeedWatch> watch) {
        while (const auto text = co_await watch->next()) {
            for (std::string_view rest = *text; !rest.empty();) {
                const auto end = rest.find('\n');
                page.told.emplace_back(rest.substr(0, end));
                rest.remove_prefix(end + 1);
            }
        }
        page.ended = true;
    }
    static std::vector<std::string> only_history(const Page& page) {
        std::vector<std::string> found;
        for (const auto& line : page.told)
            if (line.starts_with("history ")) found.push_back(line);
        return found;
    }
    Page& follow(std::optional<base::WorkspaceId> only = std::nullopt) {
        auto& page = all_.emplace_back();
        pages_.spawn("listen", listen(page, events_.watch(user_, only)));
        loop_.run_for(1s);
        return page;
    }
    model::Workspace make(const std::string& name) {
        return run(workspaces_.create(user_, {.type = "spreadsheet", .name = name}));
    }

    WorkspaceEvents events_{loop_.executor(), clock_, *store_,
                            [this](const WorkspaceEvent& event) { return text_of(event); }};
    std::list<Page> all_;
    base::Scope pages_{loop_.executor()};
};

TEST_F(WorkspaceEventsTest, BeginWithAllThereIs) {
    make("second");
    auto& page = follow();
    EXPECT_THAT(page.told, testing::UnorderedElementsAre("Spreadsheet workspace running", "start succeeded",
                                                         "second stopped", "all 2"));
    EXPECT_EQ(page.told.back(), "all 2");
    loop_.run_for(5min);
    EXPECT_EQ(page.told.size(), 4U) << "nothing happened, nothing is told";
}

TEST_F(WorkspaceEventsTest, TellOfWhatHappensToTheLatestAndTheOvertaken) {
    auto& page = follow();
    page.told.clear();
    run(containers_.stop_workspace(user_, workspace_, {}));
    loop_.run_for(1s);
    EXPECT_THAT(page.told, Contains("stop succeeded"));
    EXPECT_THAT(page.told, Contains("Spreadsheet workspace stopped"));
    EXPECT_THAT(only_history(page), ElementsAre("history stop_requested", "history stopped"));
    page.told.clear();
    run(containers_.start_workspace(user_, workspace_, {.respond_async = true}));
    loop_.run_for(31ms);
    run(containers_.stop_workspace(user_, workspace_, {}));
    loop_.run_for(1s);
    EXPECT_THAT(page.told, Contains("start superseded"));
    EXPECT_THAT(page.told, Contains("stop succeeded"));
}

TEST_F(WorkspaceEventsTest, TellOfWhatIsMadeChangedAndDeleted) {
    auto& page = follow();
    page.told.clear();
    const auto made = make("made");
    loop_.run_for(1s);
    EXPECT_THAT(page.told, ElementsAre("made stopped", "history created"));
    auto& single = follow(made.id);
    EXPECT_THAT(single.told, ElementsAre("made stopped", "all 1"));
    run(workspaces_.update(user_, made.id, {.name = "renamed"}));
    loop_.run_for(1s);
    for (const auto* each : {&page, &single})
        EXPECT_THAT(std::vector(each->told.end() - 2, each->told.end()),
                    ElementsAre("renamed stopped", "history settings_changed"));
    run(containers_.delete_workspace(user_, made.id, {}));
    loop_.run_for(1s);
    EXPECT_EQ(page.told.back(), "gone");
    EXPECT_EQ(single.told.back(), "gone");
    EXPECT_TRUE(single.ended);
    EXPECT_FALSE(page.ended);
    auto& late = follow();
    EXPECT_THAT(late.told, Not(Contains("gone"))) << "what it never knew";
}

TEST_F(WorkspaceEventsTest, SeeWithinSecondsWhatNobodyToldThemOf) {
    auto& page = follow();
    page.told.clear();
    // Another server on the same database.
    write([id = workspace_](store::Transaction& tx) {
        auto row = *tx.workspaces().find(id);
        row.name = "by another";
        tx.workspaces().update(row);
    });
    loop_.run_for(20s);
    EXPECT_THAT(page.told, ElementsAre("by another running"));
}

TEST_F(WorkspaceEventsTest, AreNobodyElses) {
    auto& mine = follow();
    const auto me = std::exchange(user_, base::UserId::generate());
    add_user(user_, "bob");
    auto& theirs = follow();
    EXPECT_THAT(theirs.told, ElementsAre("all 0"));
    make("theirs");
    user_ = me;
    make("mine");
    run(containers_.stop_workspace(user_, workspace_, {}));
    loop_.run_for(20s);
    EXPECT_THAT(theirs.told, ElementsAre("all 0", "theirs stopped", "history created"));
    EXPECT_THAT(mine.told, Not(Contains("theirs stopped")));
    EXPECT_THAT(mine.told, Contains("mine stopped"));
}

TEST_F(WorkspaceEventsTest, AreReadOnceForManyAndNotAtAllForNobody) {
    for (int i = 0; i < 200; ++i)
        follow();
    EXPECT_EQ(events_.watchers(), 200);
    pages_.cancel();
    loop_.run_for(5s);
    EXPECT_EQ(events_.watchers(), 0);
}

TEST_F(WorkspaceEventsTest, EndWithTheServer) {
    auto& page = follow();
    events_.finish();
    loop_.run_for(1s);
    EXPECT_TRUE(page.ended);
    EXPECT_EQ(word_of([&] { events_.watch(user_, std::nullopt); }), "shutting_down");
}

}  // namespace
}  // namespace agentdb9::services

// What happens to a user's workspaces and projects, as their pages hear it.
#include "services/user_events.hpp"

#include <gmock/gmock.h>

#include "unit/services/monitoring_fixture.hpp"

namespace agentdb9::services {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

struct Page {
    std::vector<std::string> told;
    bool ended = false;
};

class UserEventsTest : public MonitoredWorkspace {
  protected:
    UserEventsTest() {
        reconciler_.on_change([this](const base::WorkspaceId& id) { events_.changed(id); });
        routes_.on_upsert([this](const model::Workspace& row) { events_.changed_of(row.user_id); });
    }
    ~UserEventsTest() override {
        run(pages_.close());
        run(events_.stop());
    }

    std::string text_of(const UserEvent& event) const {
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
            std::string operator()(const model::Project& row) const { return "project " + row.name + "\n"; }
            std::string operator()(const model::ProjectOperation& row) const {
                return std::string(model::to_text(row.kind)) + " " + std::string(model::to_text(row.state)) +
                       (model::is_open(row.state) ? " " + std::to_string(percent) : "") + "\n";
            }
            std::string operator()(const AllThere& there) const {
                return "all " + std::to_string(there.workspaces.size()) +
                       (there.projects ? " with " + std::to_string(there.projects->size()) : "") + "\n";
            }
            std::string operator()(const WorkspaceGone&) const { return "gone\n"; }
            std::string operator()(const ProjectGone&) const { return "project gone\n"; }
            int percent;
        };
        return std::visit(Text{containers_, percent_}, event);
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

    model::Project make_project(const std::string& name, const base::UserId& user) {
        model::Project row{.id = base::ProjectId::generate(), .name = name, .user_id = user};
        row.created_at = clock_.now();
        write([row](store::Transaction& tx) { tx.projects().insert(row); });
        return row;
    }
    model::ProjectOperation begin_backup(const model::Project& project) {
        model::ProjectOperation row{.id = base::OperationId::generate(),
                                    .project_id = project.id,
                                    .user_id = project.user_id,
                                    .kind = model::ProjectOperationKind::kBackup};
        row.created_at = clock_.now();
        write([row](store::Transaction& tx) { tx.project_operations().insert(row); });
        return row;
    }
    void end(model::ProjectOperation row) {
        row.state = model::OperationState::kSucceeded;
        row.finished_at = clock_.now();
        write([row](store::Transaction& tx) { tx.project_operations().update(row); });
    }

    int percent_ = 0;
    UserEvents events_{loop_.executor(), clock_, *store_,
                       [this](const UserEvent& event) { return text_of(event); }};
    std::list<Page> all_;
    base::Scope pages_{loop_.executor()};
};

TEST_F(UserEventsTest, BeginWithAllThereIs) {
    make("second");
    auto& page = follow();
    EXPECT_THAT(page.told, testing::UnorderedElementsAre("Spreadsheet workspace running", "start succeeded",
                                                         "second stopped", "project Spreadsheet workspace",
                                                         "all 2 with 1"));
    EXPECT_EQ(page.told.back(), "all 2 with 1");
    loop_.run_for(5min);
    EXPECT_EQ(page.told.size(), 5U) << "nothing happened, nothing is told";
}

TEST_F(UserEventsTest, TellOfWhatHappensToTheLatestAndTheOvertaken) {
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

TEST_F(UserEventsTest, TellOfWhatIsMadeChangedAndDeleted) {
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

TEST_F(UserEventsTest, SeeWithinSecondsWhatNobodyToldThemOf) {
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

TEST_F(UserEventsTest, TellOfProjects) {
    auto& page = follow();
    auto& single = follow(workspace_);
    page.told.clear();
    single.told.clear();
    const auto project = make_project("work", user_);
    events_.projects_changed_of(user_);
    loop_.run_for(1s);
    EXPECT_THAT(page.told, ElementsAre("project work"));
    write([project](store::Transaction& tx) {
        auto row = *tx.projects().find(project.id);
        row.name = "by another server";
        tx.projects().update(row);
    });
    loop_.run_for(20s);
    EXPECT_THAT(page.told, ElementsAre("project work", "project by another server"));
    // Into the trash, out of it, and into it again.
    for (int i = 0; i < 2; ++i) {
        page.told.clear();
        write([project](store::Transaction& tx) { tx.projects().remove(project.id); });
        events_.projects_changed_of(user_);
        loop_.run_for(1s);
        EXPECT_THAT(page.told, ElementsAre("project gone"));
        write([project](store::Transaction& tx) { tx.projects().insert(project); });
        events_.projects_changed_of(user_);
        loop_.run_for(1s);
        EXPECT_THAT(page.told, ElementsAre("project gone", "project work"));
    }
    EXPECT_THAT(single.told, IsEmpty()) << "a workspace's own page hears of that alone";
}

TEST_F(UserEventsTest, TellHowFarTheWorkOnProjectsIs) {
    const auto project = make_project("work", user_);
    end(begin_backup(project));
    auto running = begin_backup(project);
    auto& page = follow();
    EXPECT_THAT(page.told, Contains("backup pending 0"));
    EXPECT_THAT(page.told, Not(Contains("backup succeeded"))) << "it had ended before";
    page.told.clear();
    percent_ = 40;
    loop_.run_for(1s);
    EXPECT_THAT(page.told, ElementsAre("backup pending 40")) << "nobody says that it goes on";
    // However many come after it.
    for (int i = 0; i < 30; ++i)
        end(begin_backup(make_project("more", user_)));
    EXPECT_THAT(follow().told, Contains("backup pending 40"));
    loop_.run_for(1s);
    page.told.clear();
    end(running);
    loop_.run_for(1s);
    EXPECT_THAT(page.told, ElementsAre("backup succeeded"));
    auto& late = follow();
    EXPECT_THAT(late.told, Not(Contains("backup succeeded")));
    loop_.run_for(1min);
    EXPECT_THAT(page.told, ElementsAre("backup succeeded")) << "it is told once";
}

TEST_F(UserEventsTest, TellOnceOfOldOperations) {
    run(containers_.stop_workspace(user_, workspace_, {}));
    auto& page = follow();
    EXPECT_THAT(page.told, Contains("stop succeeded"));
    EXPECT_THAT(page.told, Not(Contains("start succeeded")));
    loop_.run_for(1min);
    EXPECT_THAT(page.told, Not(Contains("start succeeded"))) << "what is old is no news later, either";
}

TEST_F(UserEventsTest, AreNobodyElses) {
    auto& mine = follow();
    const auto me = std::exchange(user_, base::UserId::generate());
    add_user(user_, "bob");
    auto& theirs = follow();
    EXPECT_THAT(theirs.told, ElementsAre("all 0 with 0"));
    make("theirs");
    user_ = me;
    make("mine");
    begin_backup(make_project("my work", me));
    events_.projects_changed_of(me);
    run(containers_.stop_workspace(user_, workspace_, {}));
    loop_.run_for(20s);
    EXPECT_THAT(theirs.told, ElementsAre("all 0 with 0", "theirs stopped", "history created"));
    EXPECT_THAT(mine.told, Not(Contains("theirs stopped")));
    EXPECT_THAT(mine.told, IsSupersetOf({"mine stopped", "project my work", "backup pending 0"}));
}

TEST_F(UserEventsTest, AreReadOnceForManyAndNotAtAllForNobody) {
    for (int i = 0; i < 200; ++i)
        follow();
    EXPECT_EQ(events_.watchers(), 200);
    pages_.cancel();
    loop_.run_for(5s);
    EXPECT_EQ(events_.watchers(), 0);
}

TEST_F(UserEventsTest, EndWithTheServer) {
    auto& page = follow();
    events_.finish();
    loop_.run_for(1s);
    EXPECT_TRUE(page.ended);
    EXPECT_EQ(word_of([&] { events_.watch(user_, std::nullopt); }), "shutting_down");
}

}  // namespace
}  // namespace agentdb9::services

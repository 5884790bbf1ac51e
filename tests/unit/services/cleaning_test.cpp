// What is put away, and above all what is not.
#include "services/cleaning_service.hpp"

#include <gmock/gmock.h>

#include "services/snapshot.hpp"
#include "support/memory_volumes.hpp"
#include "support/simulation/runtime.hpp"
#include "support/simulation/store.hpp"
#include "unit/services/fixture.hpp"

namespace agentdb9::services {
namespace {

using model::CleaningItem;
using model::CleaningOutcome;
using model::Duty;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Cleaning : public ServicesTest {
  protected:
    ~Cleaning() override {
        run(cleaning_->stop());
        if (other_) run(other_->stop());
    }

    std::unique_ptr<CleaningService> make() {
        return std::make_unique<CleaningService>(loop_.executor(), clock_, *store_, runtime_, files_,
                                                 volumes_, routes_, catalogue_, settings_);
    }
    void set(const std::function<void(model::CleaningSettings&)>& change) {
        run(cleaning_->stop());
        change(settings_);
        cleaning_ = make();
    }

    model::Workspace make_workspace(const std::function<void(model::Workspace&)>& change = {}) {
        model::Workspace row{.id = base::WorkspaceId::generate(), .name = "w", .user_id = user_, .type = "t"};
        row.generation = row.last_generation = 1;
        row.created_at = row.updated_at = clock_.now();
        if (change) change(row);
        write([row](store::Transaction& tx) { tx.workspaces().insert(row); });
        return row;
    }
    void remember(const base::WorkspaceId& workspace, model::OperationKind kind,
                  model::OperationState state) {
        model::Operation operation{.id = base::OperationId::generate(), .workspace_id = workspace};
        operation.kind = kind;
        operation.state = state;
        operation.created_at = clock_.now();
        operation.finished_at = clock_.now();
        write([operation](store::Transaction& tx) { tx.operations().insert(operation); });
    }
    void fail(model::Workspace row) {
        row.desired_state = model::DesiredState::kStopped;
        row.phase = model::Phase::kFailed;
        row.status = model::WorkspaceStatus::kError;
        write([row](store::Transaction& tx) { tx.workspaces().update(row); });
        remember(row.id, model::OperationKind::kStart, model::OperationState::kFailed);
    }
    std::string make_container(const base::WorkspaceId& workspace, const base::InstallationId& whose,
                               const std::string& image = "image") {
        model::InstanceSpec spec{
            .workspace_id = workspace, .user_id = user_, .project_id = base::ProjectId::generate()};
        spec.image = image;
        spec.generation = 1;
        engine_.images().insert(image);
        return engine_.create(whose, spec, "c-" + std::to_string(++made_));
    }
    std::string make_container(const base::WorkspaceId& workspace) {
        return make_container(workspace, installation_);
    }

    std::vector<CleaningItem> clean(Duty duty, bool dry_run = false) {
        for (auto& report : run(cleaning_->clean(dry_run, "admin")).duties) {
            problem_ = report.problem;
            if (report.duty == duty) return std::move(report.items);
        }
        ADD_FAILURE() << "the duty is off";
        return {};
    }
    static std::vector<CleaningOutcome> outcomes(const std::vector<CleaningItem>& items) {
        std::vector<CleaningOutcome> all;
        for (const auto& item : items)
            all.push_back(item.outcome);
        return all;
    }
    DutyState state(Duty duty, CleaningService* of = nullptr) {
        for (auto& each : run((of != nullptr ? of : cleaning_.get())->states()))
            if (each.duty == duty) return std::move(each);
        return {};
    }
    model::WorkspaceStatus status_of(const base::WorkspaceId& id) {
        return read([id](store::Transaction& tx) { return tx.workspaces().find(id)->status; });
    }

    test::Random random_{1};
    test::SimulatedEngine engine_{clock_, random_};
    test::RuntimeFaults faults_;
    base::InstallationId installation_ = base::InstallationId::generate();
    test::SimulatedRuntime runtime_{engine_, clock_, random_, installation_, faults_};
    test::MemoryVolumes files_;
    DockerVolumeService volumes_{clock_, *store_, runtime_};
    model::Catalogue catalogue_{{model::WorkspaceType{.type = "t", .container_image = "named"}}};
    RouteBook routes_{catalogue_};
    model::CleaningSettings settings_;
    std::unique_ptr<CleaningService> cleaning_ = make();
    std::unique_ptr<CleaningService> other_;
    base::UserId user_ = base::UserId::generate();
    std::string problem_;
    int made_ = 0;
};

TEST_F(Cleaning, AContainerOfAWorkspaceThatWasDeletedGoes) {
    const auto workspace = base::WorkspaceId::generate();
    const auto id = make_container(workspace);
    engine_.start(id);
    remember(workspace, model::OperationKind::kDelete, model::OperationState::kSucceeded);
    EXPECT_THAT(outcomes(clean(Duty::kContainers, true)), ElementsAre(CleaningOutcome::kWould));
    EXPECT_NE(engine_.find(id), nullptr) << "a dry run changes nothing";
    EXPECT_THAT(outcomes(clean(Duty::kContainers)), ElementsAre(CleaningOutcome::kDone));
    EXPECT_EQ(engine_.find(id), nullptr);
    EXPECT_THAT(clean(Duty::kContainers), IsEmpty());
}

TEST_F(Cleaning, AHomeThatLayInTheTrashTellsThatItsWorkspaceWasDeleted) {
    const auto workspace = base::WorkspaceId::generate();
    make_container(workspace);
    model::Tombstone tombstone{.id = base::TombstoneId::generate(), .user_id = user_};
    tombstone.kind = model::VolumeKind::kHome;
    tombstone.volume_name = "home";
    tombstone.owner_id = workspace.str();
    tombstone.purge_after = clock_.now() + 24h;
    write([tombstone](store::Transaction& tx) { tx.tombstones().insert(tombstone); });
    EXPECT_THAT(outcomes(clean(Duty::kContainers)), ElementsAre(CleaningOutcome::kDone));
}

TEST_F(Cleaning, WhatTheDatabaseDoesNotKnowOfStaysAndIsTold) {
    const auto id = make_container(base::WorkspaceId::generate());
    clock_.jump(24h * 365);
    const auto items = clean(Duty::kContainers);
    ASSERT_THAT(outcomes(items), ElementsAre(CleaningOutcome::kKept));
    EXPECT_THAT(items[0].why, HasSubstr("knows nothing"));
    EXPECT_NE(engine_.find(id), nullptr);
}

TEST_F(Cleaning, AnotherInstallationsContainerIsNeverLookedAt) {
    const auto workspace = base::WorkspaceId::generate();
    make_container(workspace, base::InstallationId::generate());
    remember(workspace, model::OperationKind::kDelete, model::OperationState::kSucceeded);
    EXPECT_THAT(clean(Duty::kContainers), IsEmpty());
    EXPECT_EQ(engine_.instances().size(), 1U);
}

TEST_F(Cleaning, AContainerOfAWorkspaceThatIsThereStays) {
    const auto workspace = make_workspace();
    make_container(workspace.id);
    // It came back from the trash.
    remember(workspace.id, model::OperationKind::kDelete, model::OperationState::kSucceeded);
    EXPECT_THAT(clean(Duty::kContainers), IsEmpty());
}

TEST_F(Cleaning, WhilePurgingIsPausedNoContainerGoes) {
    const auto workspace = base::WorkspaceId::generate();
    make_container(workspace);
    remember(workspace, model::OperationKind::kDelete, model::OperationState::kSucceeded);
    run(volumes_.heartbeat());
    clock_.jump(24h * 8);
    run(volumes_.heartbeat());
    const auto items = clean(Duty::kContainers);
    ASSERT_THAT(outcomes(items), ElementsAre(CleaningOutcome::kKept));
    EXPECT_THAT(items[0].why, HasSubstr("paused"));
    EXPECT_EQ(engine_.instances().size(), 1U);
}

TEST_F(Cleaning, HelpersThatWereLeftBehindGo) {
    files_.left_behind = {{"container 123", clock_.now()}};
    EXPECT_THAT(outcomes(clean(Duty::kContainers, true)), ElementsAre(CleaningOutcome::kWould));
    EXPECT_EQ(files_.left_behind.size(), 1U);
    EXPECT_THAT(outcomes(clean(Duty::kContainers)), ElementsAre(CleaningOutcome::kDone));
    EXPECT_THAT(files_.left_behind, IsEmpty());
}

TEST_F(Cleaning, WhatAFailedStartLeftGoesAfterItsTime) {
    const auto workspace = make_workspace();
    const auto id = make_container(workspace.id);
    fail(workspace);
    EXPECT_THAT(clean(Duty::kFailed), IsEmpty()) << "somebody may want to look at it";
    clock_.jump(24h);
    EXPECT_THAT(outcomes(clean(Duty::kFailed)), ElementsAre(CleaningOutcome::kDone));
    EXPECT_EQ(engine_.find(id), nullptr);
}

TEST_F(Cleaning, AContainerThatRanBeforeTheStartThatFailedStays) {
    const auto workspace = make_workspace();
    const auto id = make_container(workspace.id);
    engine_.start(id);
    engine_.stop(id);
    clock_.jump(1h);
    fail(workspace);
    clock_.jump(24h * 30);
    EXPECT_THAT(clean(Duty::kFailed), IsEmpty()) << "its user may have put something into it";
    EXPECT_NE(engine_.find(id), nullptr);
}

TEST_F(Cleaning, AWorkspaceThatIsWantedAgainKeepsItsContainer) {
    auto workspace = make_workspace();
    make_container(workspace.id);
    fail(workspace);
    clock_.jump(24h * 2);
    workspace.desired_state = model::DesiredState::kRunning;
    workspace.phase = model::Phase::kQueued;
    write([workspace](store::Transaction& tx) { tx.workspaces().update(workspace); });
    EXPECT_THAT(clean(Duty::kFailed), IsEmpty());
}

TEST_F(Cleaning, WorkspacesThatNobodyUsesAreMarkedAndNothingElse) {
    set([](auto& settings) { settings.inactive_after = std::chrono::days(30); });
    const auto idle = make_workspace();
    const auto used = make_workspace();
    const auto scheduled = make_workspace([](auto& row) { row.schedule = json::object{{"zone", "UTC"}}; });
    const auto archived = make_workspace([](auto& row) { row.status = model::WorkspaceStatus::kArchived; });
    const auto running = make_workspace([](auto& row) { row.desired_state = model::DesiredState::kRunning; });
    clock_.jump(24h * 29);
    write([id = used.id, now = clock_.now()](store::Transaction& tx) {
        tx.activities().note(id, {std::string(model::kRequestActivity), now});
    });
    EXPECT_THAT(clean(Duty::kInactive), IsEmpty());
    clock_.jump(24h);
    EXPECT_THAT(outcomes(clean(Duty::kInactive, true)), ElementsAre(CleaningOutcome::kWould));
    EXPECT_EQ(status_of(idle.id), model::WorkspaceStatus::kActive);
    EXPECT_THAT(outcomes(clean(Duty::kInactive)), ElementsAre(CleaningOutcome::kDone));
    EXPECT_EQ(status_of(idle.id), model::WorkspaceStatus::kInactive);
    for (const auto& each : {used, scheduled, running})
        EXPECT_EQ(status_of(each.id), model::WorkspaceStatus::kActive);
    EXPECT_EQ(status_of(archived.id), model::WorkspaceStatus::kArchived);
    const auto told = read([id = idle.id](store::Transaction& tx) {
        return tx.life_events().of_workspace(id, {.limit = 10, .cursor = {}}).rows;
    });
    ASSERT_EQ(told.size(), 1U);
    EXPECT_THAT(told[0].why, HasSubstr("30 days"));
}

TEST_F(Cleaning, InactiveWorkspacesAreNobodysDutyByDefault) {
    make_workspace();
    clock_.jump(24h * 365);
    for (const auto& report : run(cleaning_->clean(false, "admin")).duties)
        EXPECT_NE(report.duty, Duty::kInactive);
}

TEST_F(Cleaning, MissingImagesAreFetchedAndRememberedOnlyWhereTheServerDidIt) {
    set([](auto& settings) { settings.every.at(static_cast<std::size_t>(Duty::kPrefetch)) = 60min; });
    EXPECT_THAT(outcomes(clean(Duty::kPrefetch, true)), ElementsAre(CleaningOutcome::kWould));
    EXPECT_TRUE(engine_.images().empty());
    cleaning_->start();
    loop_.run_for(30s);
    EXPECT_TRUE(engine_.images().contains("named"));
    const auto images = run(cleaning_->images());
    ASSERT_EQ(images.size(), 1U);
    EXPECT_TRUE(images[0].pulled_at);
    EXPECT_TRUE(images[0].on_engine.value());
    EXPECT_EQ(state(Duty::kPrefetch).last->done, 1U);
    loop_.run_for(61min);
    EXPECT_EQ(state(Duty::kPrefetch).last->done, 0U) << "it is there";
}

TEST_F(Cleaning, AnImageThatCannotBeHadIsTold) {
    faults_.unavailable_images.insert("named");
    set([](auto& settings) { settings.every.at(static_cast<std::size_t>(Duty::kPrefetch)) = 60min; });
    cleaning_->start();
    loop_.run_for(30s);
    EXPECT_EQ(state(Duty::kPrefetch).last->failed.size(), 1U);
    EXPECT_THAT(run(cleaning_->images()).at(0).problem, HasSubstr("from nowhere"));
}

class Pruning : public Cleaning {
  protected:
    // The server pulled "named"; then the type names another one.
    void SetUp() override {
        set([](auto& settings) { settings.every.at(static_cast<std::size_t>(Duty::kPrefetch)) = 60min; });
        cleaning_->start();
        loop_.run_for(30s);
        catalogue_ = model::Catalogue({model::WorkspaceType{.type = "t", .container_image = "newer"}});
        set([](auto& settings) { settings.every.at(static_cast<std::size_t>(Duty::kPrefetch)) = 0min; });
    }
};

TEST_F(Pruning, AnImageGoesWhenNoTypeHasNamedItForItsTime) {
    EXPECT_THAT(outcomes(clean(Duty::kImages)), ElementsAre(CleaningOutcome::kKept));
    clock_.jump(24h * 7);
    EXPECT_THAT(outcomes(clean(Duty::kImages, true)), ElementsAre(CleaningOutcome::kWould));
    EXPECT_TRUE(engine_.images().contains("named"));
    EXPECT_THAT(outcomes(clean(Duty::kImages)), ElementsAre(CleaningOutcome::kDone));
    EXPECT_FALSE(engine_.images().contains("named"));
    EXPECT_THAT(clean(Duty::kImages), IsEmpty());
}

TEST_F(Pruning, OneThatAContainerWasMadeFromStays) {
    clean(Duty::kImages);
    make_container(make_workspace().id, base::InstallationId::generate(), "named");
    clock_.jump(24h * 7);
    EXPECT_THAT(outcomes(clean(Duty::kImages)), ElementsAre(CleaningOutcome::kKept)) << "whoever's it is";
    EXPECT_TRUE(engine_.images().contains("named"));
}

TEST_F(Pruning, OneThatAWorkspaceWasMadeWithStays) {
    make_workspace([](auto& row) { row.config = json::object{{"containerImage", "named"}}; });
    clean(Duty::kImages);
    clock_.jump(24h * 7);
    EXPECT_THAT(clean(Duty::kImages), IsEmpty());
}

TEST_F(Pruning, WhatTheServerDidNotPullStays) {
    engine_.images().insert("somebody's");
    clean(Duty::kImages);
    clock_.jump(24h * 7);
    clean(Duty::kImages);
    EXPECT_TRUE(engine_.images().contains("somebody's"));
}

TEST_F(Cleaning, AnEngineThatDoesNotAnswerIsToldAndLosesNothing) {
    const auto workspace = base::WorkspaceId::generate();
    make_container(workspace);
    remember(workspace, model::OperationKind::kDelete, model::OperationState::kSucceeded);
    runtime_.cut();
    const auto report = run(cleaning_->clean(false, "admin"));
    for (const auto& each : report.duties) {
        if (each.duty == Duty::kContainers || each.duty == Duty::kFailed) {
            EXPECT_NE(each.problem, "") << model::to_text(each.duty);
        }
    }
    EXPECT_NE(state(Duty::kContainers).last->problem, "");
    runtime_.mend();
    EXPECT_THAT(outcomes(clean(Duty::kContainers)), ElementsAre(CleaningOutcome::kDone));
}

TEST_F(Cleaning, FollowsItsSchedulesAndSaysWhenItIsNext) {
    EXPECT_FALSE(state(Duty::kContainers).last);
    cleaning_->start();
    loop_.run_for(30s);
    const auto first = state(Duty::kContainers);
    ASSERT_TRUE(first.last && first.last->finished_at);
    EXPECT_EQ(first.last->by, "schedule");
    EXPECT_EQ(first.next_at, first.last->started_at + 60min);
    const auto workspace = base::WorkspaceId::generate();
    make_container(workspace);
    remember(workspace, model::OperationKind::kDelete, model::OperationState::kSucceeded);
    loop_.run_for(58min);
    EXPECT_EQ(engine_.instances().size(), 1U);
    loop_.run_for(3min);
    EXPECT_TRUE(engine_.instances().empty());
    EXPECT_EQ(state(Duty::kContainers).last->done, 1U);
}

TEST_F(Cleaning, TheFirstRoundSeesAGapBeforeItPurges) {
    run(volumes_.heartbeat());
    clock_.jump(24h * 8);
    cleaning_->start();
    loop_.run_for(30s);
    EXPECT_TRUE(run(volumes_.purge_paused_because()));
}

TEST_F(Cleaning, TheSecondOfTwoAtOnceWaitsForTheFirst) {
    const auto workspace = base::WorkspaceId::generate();
    make_container(workspace);
    remember(workspace, model::OperationKind::kDelete, model::OperationState::kSucceeded);
    std::vector<std::size_t> done;
    const auto count = [&](std::exception_ptr failure, const std::optional<CleaningReport>& report) {
        ASSERT_FALSE(failure);
        std::size_t all = 0;
        for (const auto& each : report->duties)
            all += each.count(CleaningOutcome::kDone);
        done.push_back(all);
    };
    for (int i = 0; i < 2; ++i)
        asio::co_spawn(loop_.executor(), base::boxed(cleaning_->clean(false, "admin")), count);
    loop_.run_for(20s);
    EXPECT_THAT(done, ElementsAre(1U, 0U));
}

// Servers of one database.
class Neighbouring : public Cleaning {
  protected:
    struct Server {
        Server(Neighbouring& test, const std::string& name)
            : store(*test.store_, test.database_, name, test.none_),
              volumes(test.clock_, store, test.runtime_),
              cleaning(test.loop_.executor(), test.clock_, store, test.runtime_, test.files_, volumes,
                       test.routes_, test.catalogue_, test.settings_) {}
        test::SimulatedStore store;
        DockerVolumeService volumes;
        CleaningService cleaning;
    };
    ~Neighbouring() override {
        run(one_.cleaning.stop());
        run(two_.cleaning.stop());
    }

    test::SimulatedDatabase database_{*store_, clock_, random_};
    test::StoreFaults none_;
    Server one_{*this, "one"};
    Server two_{*this, "two"};
};

TEST_F(Neighbouring, OneOfThemDoesIt) {
    one_.cleaning.start();
    two_.cleaning.start();
    loop_.run_for(3h + 5min);
    EXPECT_GE(files_.looks, 3);
    EXPECT_LE(files_.looks, 4) << "at first, and each hour";
}

TEST_F(Neighbouring, OneThatDiedOverItIsFollowedAfterAWhile) {
    const auto workspace = base::WorkspaceId::generate();
    make_container(workspace);
    remember(workspace, model::OperationKind::kDelete, model::OperationState::kSucceeded);
    const auto begun = base::to_text(json::object{
        {"startedAt", base::format_time(clock_.now())}, {"finishedAt", nullptr}, {"by", "schedule"}});
    write([begun](store::Transaction& tx) { tx.settings().set("cleaning.containers", begun); });
    EXPECT_EQ(word_of([&] { run(two_.cleaning.clean(false, "admin")); }), "cleaning_in_progress");
    EXPECT_EQ(engine_.instances().size(), 1U);
    loop_.run_for(16min);
    run(two_.cleaning.clean(false, "admin"));
    EXPECT_TRUE(engine_.instances().empty());
}

// A fetch may take hours: until then only a server that is there is waited for.
TEST_F(Neighbouring, AFetchIsNobodysOnceItsServerIsGone) {
    const auto begun = [this](const std::string& server) {
        const auto text = base::to_text(json::object{{"startedAt", base::format_time(clock_.now())},
                                                     {"finishedAt", nullptr},
                                                     {"by", "schedule"},
                                                     {"server", server}});
        write([text](store::Transaction& tx) { tx.settings().set("cleaning.prefetch", text); });
    };
    settings_.every.at(static_cast<std::size_t>(Duty::kPrefetch)) = 60min;
    Server three{*this, "three"};
    database_.enter("one");
    begun("one");
    three.cleaning.start();
    loop_.run_for(10min);
    EXPECT_FALSE(engine_.images().contains("named")) << "the other server fetches it";
    database_.leave("one");
    loop_.run_for(10min);
    EXPECT_TRUE(engine_.images().contains("named"));
    run(three.cleaning.stop());
}

}  // namespace
}  // namespace agentdb9::services

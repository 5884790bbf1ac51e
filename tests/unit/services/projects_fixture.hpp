// The services that move projects' files, on simulated time, a simulated engine and volumes in memory.
// Archives are real: files in a directory of the test's own.
#pragma once

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "services/backups.hpp"
#include "services/docker_volume_service.hpp"
#include "services/restores.hpp"
#include "support/memory_volumes.hpp"
#include "support/simulation/runtime.hpp"
#include "support/tar_maker.hpp"
#include "unit/services/fixture.hpp"

namespace agentdb9::services {

class ProjectsTest : public ServicesTest {
  protected:
    ProjectsTest() : ServicesTest(test::SimulatedLoop::Threads::kPool) {}
    ~ProjectsTest() override {
        run(work_.stop());
        run(reconciler_.stop());
        std::filesystem::remove_all(directory_);
    }

    // Archives and files have threads of their own: whoever waits for one lets simulated time stand still.
    void run_until(const std::function<bool()>& done) {
        const auto deadline = std::chrono::steady_clock::now() + 60s;
        for (loop_.run_ready(); !done(); loop_.run_ready()) {
            if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("it does not end");
            if (clock_.next()) {
                loop_.step();
            } else {
                std::this_thread::yield();
            }
        }
    }
    template <class T>
    T run(Task<T> task) {
        std::optional<T> result;
        std::exception_ptr failure;
        asio::co_spawn(loop_.executor(), base::boxed(std::move(task)),
                       [&](std::exception_ptr error, std::optional<T> value) {
                           failure = error;
                           if (!error) result = std::move(value);
                       });
        run_until([&] { return result.has_value() || failure != nullptr; });
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }
    void run(Task<> task) {
        std::exception_ptr failure;
        bool ended = false;
        asio::co_spawn(loop_.executor(), std::move(task), [&](std::exception_ptr error) {
            failure = error;
            ended = true;
        });
        run_until([&] { return ended; });
        if (failure) std::rethrow_exception(failure);
    }

    // A project with these files in its volume.
    model::Project make_project(const std::string& name = "p") {
        model::Project project{.id = base::ProjectId::generate(), .name = name, .user_id = user_};
        project.created_at = clock_.now();
        project.volume_name = model::project_volume_name(project.id);
        project.volume_path = "/volumes/" + *project.volume_name;
        engine_.make_volume(
            installation_,
            {.name = *project.volume_name, .project_id = project.id, .workspace_id = {}, .user_id = user_});
        volumes_.contents[*project.volume_name] =
            test::TarMaker().directory("./").file("./a", name + "'s").whole();
        write([project](store::Transaction& tx) { tx.projects().insert(project); });
        return project;
    }
    model::Workspace make_workspace(const model::Project& project, model::DesiredState state) {
        model::Workspace workspace{
            .id = base::WorkspaceId::generate(), .name = "w", .user_id = user_, .type = "vscode"};
        workspace.current_project_id = project.id;
        workspace.desired_state = state;
        workspace.created_at = clock_.now();
        write([workspace](store::Transaction& tx) { tx.workspaces().insert(workspace); });
        return workspace;
    }
    model::Project row(const base::ProjectId& id) {
        return read([id](store::Transaction& tx) { return tx.projects().find(id); }).value();
    }
    model::ProjectOperation end_of(const model::ProjectOperation& operation) {
        std::optional<model::ProjectOperation> row;
        run_until([&] {
            row = read(
                [id = operation.id](store::Transaction& tx) { return tx.project_operations().find(id); });
            return !row || !model::is_open(row->state);
        });
        return row.value();
    }
    model::Backup back_up(const model::Project& project, BackupRequest request = {}) {
        const auto begun = run(backups_.create(user_, project.id, std::move(request)));
        end_of(begun.operation);
        return read([id = begun.backup.id](store::Transaction& tx) { return tx.backups().find(id); }).value();
    }
    std::string in_volume(const std::string& volume) { return volumes_.contents[volume]; }
    std::vector<std::string> files() const {
        std::vector<std::string> found;
        for (const auto& each : std::filesystem::recursive_directory_iterator(directory_))
            if (each.is_regular_file()) found.push_back(each.path().filename().string());
        return found;
    }

    static std::filesystem::path make_directory() {
        auto pattern = (std::filesystem::temp_directory_path() / "agentdb9-projects-XXXXXX").string();
        return ::mkdtemp(pattern.data());
    }

    const std::filesystem::path directory_ = make_directory();
    base::UserId user_ = base::UserId::generate();
    test::Random random_{1};
    test::SimulatedEngine engine_{clock_, random_};
    test::RuntimeFaults faults_;
    base::InstallationId installation_ = base::InstallationId::generate();
    test::SimulatedRuntime runtime_{engine_, clock_, random_, installation_, faults_};
    test::MemoryVolumes volumes_;
    model::Catalogue catalogue_{model::built_in_types()};
    RouteBook routes_{catalogue_};
    Reconciler reconciler_{loop_.executor(), clock_, *store_, runtime_, catalogue_, routes_, {}};
    BackupFiles files_{directory_ / "backups", "installation"};
    ProjectWork work_{loop_.executor(), clock_, *store_, 2};
    ProjectTools tools_{loop_.executor(), clock_, *store_, runtime_, volumes_, files_, work_};
    BackupService backups_{tools_};
    RestoreService restores_{tools_, reconciler_, {}};
    DockerVolumeService trash_{clock_, *store_, runtime_};
};

}  // namespace agentdb9::services

// Everything of the server that needs no socket of its own: the store, the services, the runtime and the
// API, put together. `serve` adds the data plane and the reconciler's work to it; the operator's commands use
// it by itself when no server runs. Control executor, one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/admin_routes.hpp"
#include "api/api.hpp"
#include "api/lifecycle_routes.hpp"
#include "api/server_routes.hpp"
#include "auth/keys.hpp"
#include "base/clock.hpp"
#include "cli/seams.hpp"
#include "config/configuration.hpp"
#include "runtime/docker/docker_runtime.hpp"
#include "services/accounts.hpp"
#include "services/administration.hpp"
#include "services/adoption.hpp"
#include "services/api_tokens.hpp"
#include "services/audit_log.hpp"
#include "services/authenticator.hpp"
#include "services/backup_schedule.hpp"
#include "services/backups.hpp"
#include "services/cleaning_service.hpp"
#include "services/docker_volume_service.hpp"
#include "services/execution_service.hpp"
#include "services/idle_service.hpp"
#include "services/instance_finder.hpp"
#include "services/limits_service.hpp"
#include "services/log_reader.hpp"
#include "services/monitoring_service.hpp"
#include "services/neighbours.hpp"
#include "services/password_hasher.hpp"
#include "services/project_files.hpp"
#include "services/project_work.hpp"
#include "services/project_workspace_service.hpp"
#include "services/projects_service.hpp"
#include "services/quota_service.hpp"
#include "services/reconciler.hpp"
#include "services/restores.hpp"
#include "services/route_book.hpp"
#include "services/schedule_service.hpp"
#include "services/session_service.hpp"
#include "services/shares.hpp"
#include "services/terminal_service.hpp"
#include "services/tickets.hpp"
#include "services/type_availability.hpp"
#include "services/usage_service.hpp"
#include "services/user_administration.hpp"
#include "services/user_events.hpp"
#include "services/volume_measurement.hpp"
#include "services/wake_service.hpp"
#include "services/workspace_container_service.hpp"
#include "services/workspace_files.hpp"
#include "services/workspaces_service.hpp"
#include "store/store.hpp"

namespace agentdb9::cli {

// Made with mode 0700 when it is missing. Throws base::Error when it cannot be used.
void prepare_data_directory(const std::filesystem::path& directory);
// Where the database lies; absent when it is no file.
std::optional<std::filesystem::path> sqlite_file(const config::Configuration& configuration);
enum class StoreAccess { kServe, kLook };
// kServe: as the one owner of the data directory. kLook: beside a server that may run; read only. Not
// migrated.
std::unique_ptr<store::Store> open_store(const config::Configuration& configuration, StoreAccess access);
// As the owner, migrated.
std::unique_ptr<store::Store> open_migrated_store(const config::Configuration& configuration);
// From the configuration, else from the data directory, where they are made on first use.
auth::Keys load_keys(const config::Configuration& configuration);
// Who made what is on the engine: in the database, made on first use. Blocks.
base::InstallationId installation_id(store::Store& store);
// The same without making one. Blocks.
std::optional<base::InstallationId> find_installation_id(store::Store& store);
// From now on this database is that installation's: what carries its label is this server's.
void adopt_installation(store::Transaction& tx, const base::InstallationId& id);
runtime::docker::DockerOptions docker_options(const config::DockerSettings& settings);

class Core {
  public:
    // Does not touch the runtime. Blocks for a few database calls.
    Core(asio::any_io_executor executor, config::Configuration settings, std::unique_ptr<store::Store> open,
         auth::Keys the_keys, const Seams& seams = {});
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    // What the routes below ask for; `serve` sets them before the first request.
    std::function<api::ApplicationsOrigin()> applications_origin;
    std::function<std::vector<api::Metric>()> metrics;
    std::function<json::object()> status;

    const config::Configuration configuration;
    base::SystemClock clock;
    std::unique_ptr<store::Store> store;
    const auth::Keys keys;
    const model::Catalogue catalogue;
    runtime::docker::DockerRuntime docker;
    const std::unique_ptr<runtime::Runtime> runtime_seam;  // absent: nothing stands before the engine
    const std::unique_ptr<runtime::VolumeFiles> volume_files_seam;
    runtime::Runtime& runtime;
    runtime::VolumeFiles& volume_files;
    services::PasswordHasher hasher;
    services::Authenticator authenticator;
    services::AuditLog audit;
    services::AccountService accounts;
    services::SessionService sessions;
    services::ApiTokenService api_tokens;
    services::TicketService tickets;
    services::UserAdministration users;
    services::RouteBook routes;
    services::ShareService shares;
    services::Reconciler reconciler;
    services::DockerVolumeService volumes;
    services::WorkspacesService workspaces;
    services::ProjectsService projects;
    services::ProjectWorkspaceService associations;
    services::WorkspaceContainerService containers;
    services::AdministrationService administration;
    services::LimitsService limits;
    services::QuotaService quotas;
    services::VolumeMeasurement volume_measurement;
    services::WakeService waking;
    services::InstanceFinder instances;
    services::LogReader logs;
    services::UsageService usage;
    services::MonitoringService monitoring;
    services::IdleService idle;
    services::ScheduleService schedules;
    services::ExecutionService executions;
    services::TerminalService terminals;
    services::WorkspaceFiles workspace_files;
    services::UserEvents events;
    services::TypeAvailability availability;
    services::AdoptionService adoption;
    services::Neighbours neighbours;
    services::BackupFiles backup_files;
    services::ProjectWork project_work;
    services::BackupService backups;
    services::RestoreService restores;
    services::ProjectFiles project_files;
    services::BackupSchedule backup_schedule;
    services::CleaningService cleaning;
    api::Api api;
    api::Api operator_api;  // who reaches it may do everything: only behind the operator's socket

  private:
    api::ServerSays server_says() const;
    services::ProjectTools project_tools(asio::any_io_executor executor);
    void add_routes();
    Task<> record(std::optional<model::AuditEntry> entry);
    Task<> workspace_mended(model::Workspace workspace);

    const base::Time began_;
    const base::SteadyTime began_steady_;
};

}  // namespace agentdb9::cli

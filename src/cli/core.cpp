#include "cli/core.hpp"

#include <sys/stat.h>

#include "api/audit.hpp"
#include "api/audit_routes.hpp"
#include "api/auth_routes.hpp"
#include "api/backup_routes.hpp"
#include "api/cleaning_routes.hpp"
#include "api/documentation_routes.hpp"
#include "api/event_routes.hpp"
#include "api/execution_routes.hpp"
#include "api/file_routes.hpp"
#include "api/idle_routes.hpp"
#include "api/limits_routes.hpp"
#include "api/log_events.hpp"
#include "api/monitoring_routes.hpp"
#include "api/operator_backup_routes.hpp"
#include "api/operator_routes.hpp"
#include "api/page_routes.hpp"
#include "api/project_routes.hpp"
#include "api/quota_routes.hpp"
#include "api/repair_routes.hpp"
#include "api/session_routes.hpp"
#include "api/share_routes.hpp"
#include "api/terminal_routes.hpp"
#include "api/trash_routes.hpp"
#include "api/workspace_file_routes.hpp"
#include "api/workspace_routes.hpp"
#include "auth/secrets.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "cli/version.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace agentdb9::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashingThreads = 2;
constexpr auto kInstallationKey = "installationId";

services::ReconcilerOptions reconciler_options(const config::Configuration& configuration) {
    services::ReconcilerOptions options;
    options.parallel_starts = static_cast<std::size_t>(configuration.docker.max_parallel_starts);
    options.trash_time = configuration.trash;
    return options;
}

services::IdleOptions idle_options(const config::IdleSettings& settings) {
    services::IdleOptions options;
    options.check = settings.check;
    options.warning = settings.warning;
    options.thresholds.cpu_percent = static_cast<double>(settings.cpu_percent);
    options.thresholds.disk_bytes_per_minute = static_cast<std::uint64_t>(settings.disk_kilobytes) * 1024;
    options.bounds = {.least_minutes = settings.least_minutes, .most_minutes = settings.most_minutes};
    options.longest_keep_alive = settings.longest_keep_alive;
    return options;
}

services::ExecutionLimits execution_limits(const config::ExecutionSettings& settings) {
    return {.per_workspace = static_cast<std::size_t>(settings.per_workspace),
            .per_user = static_cast<std::size_t>(settings.per_user),
            .default_time = settings.default_time,
            .longest_time = settings.longest_time};
}

services::TerminalLimits terminal_limits(const config::TerminalSettings& settings) {
    return {.per_workspace = static_cast<std::size_t>(settings.per_workspace),
            .per_user = static_cast<std::size_t>(settings.per_user),
            .keep = settings.keep};
}

}  // namespace

void prepare_data_directory(const fs::path& directory) {
    std::error_code ec;
    const bool made = fs::create_directories(directory, ec);
    if (!fs::is_directory(directory)) {
        throw base::Error(base::ErrorCode::kUnavailable, "data_directory_unusable",
                          "The data directory " + directory.string() + " cannot be made (" + ec.message() +
                              "); name another one with --data-dir.");
    }
    // What lies in it is nobody else's business.
    if (made) ::chmod(directory.c_str(), S_IRWXU);
}

std::optional<fs::path> sqlite_file(const config::Configuration& configuration) {
    constexpr std::string_view kScheme = "sqlite:";
    if (configuration.on_postgresql()) return std::nullopt;
    if (!configuration.database_url) return configuration.database_file();
    return configuration.database_url->substr(kScheme.size());
}

std::unique_ptr<store::Store> open_store(const config::Configuration& configuration, StoreAccess access) {
    if (configuration.on_postgresql())
        return std::make_unique<store::PostgresStore>(*configuration.database_url);
    store::SqliteOptions options;
    if (access == StoreAccess::kLook) options.mode = store::OpenMode::kShared;
    return std::make_unique<store::SqliteStore>(sqlite_file(configuration).value(), options);
}

std::unique_ptr<store::Store> open_migrated_store(const config::Configuration& configuration) {
    auto opened = open_store(configuration, StoreAccess::kServe);
    const auto migrated = opened->migrate();
    for (const auto& name : migrated.applied)
        log::info("migrated the database", {{"migration", name}});
    for (const auto& note : migrated.notes)
        log::warning("migrated the database", {{"note", note}});
    return opened;
}

auth::Keys load_keys(const config::Configuration& configuration) {
    if (configuration.auth.jwt_secret) return auth::Keys::from_secret(*configuration.auth.jwt_secret);
    return auth::Keys::from_secret(auth::load_or_make_secret(configuration.data_dir / "jwt.secret"));
}

namespace {

runtime::docker::FirewallUse firewall_use(config::Firewall setting) {
    using runtime::docker::FirewallUse;
    switch (setting) {
        case config::Firewall::kAuto:
            return FirewallUse::kAuto;
        case config::Firewall::kRequired:
            return FirewallUse::kRequired;
        case config::Firewall::kOff:
            return FirewallUse::kOff;
    }
    return FirewallUse::kAuto;
}

}  // namespace

runtime::docker::DockerOptions docker_options(const config::DockerSettings& settings) {
    runtime::docker::DockerOptions options;
    options.host = settings.host.value_or("");
    options.network = settings.network;
    switch (settings.reach) {
        case config::Reach::kAuto:
            options.reach = runtime::docker::Reach::kAuto;
            break;
        case config::Reach::kAddress:
            options.reach = runtime::docker::Reach::kAddress;
            break;
        case config::Reach::kPublished:
            options.reach = runtime::docker::Reach::kPublished;
            break;
    }
    options.firewall = firewall_use(settings.firewall);
    options.firewall_policy = {.egress = settings.egress, .host_ports = settings.host_ports};
    options.volume_driver = settings.volume_driver;
    options.volume_driver_options = settings.volume_driver_options;
    options.registry_logins = settings.registry_logins;
    return options;
}

std::optional<base::InstallationId> find_installation_id(store::Store& store) {
    std::optional<base::InstallationId> id;
    store.transact(store::Mode::kRead, [&](store::Transaction& tx) {
        if (const auto text = tx.settings().get(kInstallationKey)) id = base::InstallationId::parse(*text);
    });
    return id;
}

base::InstallationId installation_id(store::Store& store) {
    auto id = find_installation_id(store);
    if (id) return *id;
    store.transact(store::Mode::kWrite, [&](store::Transaction& tx) {
        // Another server may have been first.
        if (const auto text = tx.settings().get(kInstallationKey)) id = base::InstallationId::parse(*text);
        if (id) return;
        id = base::InstallationId::generate();
        tx.settings().set(kInstallationKey, id->str());
    });
    return *id;
}

void adopt_installation(store::Transaction& tx, const base::InstallationId& id) {
    tx.settings().set(kInstallationKey, id.str());
}

Core::Core(asio::any_io_executor executor, config::Configuration settings, std::unique_ptr<store::Store> open,
           auth::Keys the_keys, const Seams& seams)
    : configuration(std::move(settings)),
      store(seams.store ? seams.store(std::move(open)) : std::move(open)),
      keys(std::move(the_keys)),
      catalogue(configuration.workspace_types),
      docker(executor, clock, installation_id(*store), docker_options(configuration.docker)),
      runtime_seam(seams.runtime ? seams.runtime(docker) : nullptr),
      volume_files_seam(seams.volume_files ? seams.volume_files(docker) : nullptr),
      runtime(runtime_seam ? *runtime_seam : static_cast<runtime::Runtime&>(docker)),
      volume_files(volume_files_seam ? *volume_files_seam : static_cast<runtime::VolumeFiles&>(docker)),
      hasher(kHashingThreads, auth::PasswordCost()),
      authenticator(*store, clock, keys),
      audit(clock, *store),
      accounts(*store, clock, keys, hasher, authenticator,
               {configuration.auth.registration_open, configuration.auth.rate_limit}),
      sessions(*store, clock, authenticator),
      api_tokens(*store, clock, authenticator),
      tickets(*store, clock, keys),
      users(*store, clock, hasher, authenticator),
      routes(catalogue),
      shares(executor, clock, *store, routes, catalogue, keys, configuration.server.apps_domain.has_value()),
      reconciler(executor, clock, *store, runtime, catalogue, routes, reconciler_options(configuration),
                 store->server_name()),
      volumes(clock, *store, runtime, configuration.trash, configuration.quota),
      workspaces(clock, *store, routes, catalogue, configuration.quota),
      projects(clock, *store, volumes, reconciler, configuration.trash),
      associations(clock, *store, reconciler),
      containers(clock, *store, runtime, reconciler, routes, catalogue, configuration.quota),
      administration(clock, *store, users, containers, catalogue, [this] { return docker.capacity(); }),
      limits(clock, reconciler, catalogue),
      quotas(*store, catalogue, configuration.quota),
      volume_measurement(clock, *store, runtime, configuration.quota),
      waking(*store, clock, reconciler, containers),
      instances(clock, *store, runtime, routes),
      logs(executor, clock, docker, instances),
      usage(executor, clock, docker, instances),
      monitoring(executor, clock, docker, instances, logs,
                 {.log = api::log_event_text, .usage = api::usage_event_text}),
      idle(executor, clock, *store, catalogue, routes, docker, containers, idle_options(configuration.idle)),
      schedules(executor, clock, *store, containers, configuration.idle.check, configuration.idle.warning),
      executions(executor, clock, docker, instances, execution_limits(configuration.executions)),
      terminals(executor, clock, docker, instances, terminal_limits(configuration.terminals)),
      workspace_files(executions, workspaces, catalogue,
                      static_cast<std::uint64_t>(configuration.backups.import_limit_bytes)),
      events(executor, clock, *store,
             [this](const services::UserEvent& event) {
                 return api::user_event_text(event, containers, project_work);
             }),
      availability(executor, clock, runtime, catalogue),
      adoption(clock, *store, docker,
               [this](const base::WorkspaceId& workspace) {
                   if (reconciler.started()) reconciler.desire_changed(workspace);
               }),
      neighbours(
          executor, clock, *store, reconciler, authenticator, [this] { return adoption.load(); },
          [this] { shares.look_again(); }),
      backup_files(configuration.backup_directory(), installation_id(*store).str()),
      project_work(executor, clock, *store, static_cast<std::size_t>(configuration.backups.max_parallel)),
      backups(project_tools(executor)),
      restores(project_tools(executor), reconciler,
               {configuration.trash, static_cast<std::uint64_t>(configuration.backups.import_limit_bytes),
                configuration.quota}),
      project_files(project_tools(executor)),
      backup_schedule(project_tools(executor), backups, volumes,
                      {configuration.backups.every, static_cast<std::size_t>(configuration.backups.keep)}),
      cleaning(executor, clock, *store, runtime, volume_files, volumes, routes, catalogue,
               configuration.cleaning),
      api(clock,
          [this](auth::Credential credential) { return authenticator.authenticate(std::move(credential)); }),
      // No endpoint of it asks who calls.
      operator_api(clock,
                   [](auth::Credential) -> Task<std::expected<auth::Principal, auth::Failure>> {
                       co_return std::unexpected(auth::Failure::kMalformed);
                   }),
      began_(clock.now()),
      began_steady_(clock.steady_now()) {
    runtime::Adopted adopted;
    store->transact(store::Mode::kRead,
                    [&adopted](store::Transaction& tx) { adopted = services::adopted_in(tx); });
    docker.set_adopted(std::move(adopted));
    volumes.on_left_behind([this](const base::WorkspaceId& id) {
        if (reconciler.started()) reconciler.desire_changed(id);
    });
    reconciler.on_change([this](const base::WorkspaceId& id) {
        monitoring.changed(id);
        executions.changed(id);
        terminals.changed(id);
        events.changed(id);
    });
    idle.add_source(executions);
    idle.add_source(terminals);
    idle.on_change([this](const base::WorkspaceId& id) { events.changed(id); });
    schedules.on_change([this](const base::WorkspaceId& id) { events.changed(id); });
    routes.on_upsert([this](const model::Workspace& workspace) { events.changed_of(workspace.user_id); });
    project_work.on_change([this](const base::UserId& user) { events.projects_changed_of(user); });
    for (auto* each : {&api, &operator_api}) {
        const bool operators = each == &operator_api;
        each->set_recorder([this, operators](const api::Api::Answered& answered) {
            // Whatever a user asked to be done may have changed a project of theirs.
            if (answered.principal && answered.endpoint.method != "GET")
                events.projects_changed_of(answered.principal->user);
            return record(api::audit_entry(answered, operators));
        });
    }
    api.set_is_project_of([this](base::UserId user, base::WorkspaceId workspace, base::ProjectId project) {
        return associations.is_project_of(user, workspace, project);
    });
    add_routes();
}

Task<> Core::record(std::optional<model::AuditEntry> entry) {
    if (entry) co_await audit.record(std::move(*entry));
}

// A command in a process of its own leaves what follows from it to the next server.
Task<> Core::workspace_mended(model::Workspace workspace) {
    const auto id = workspace.id;
    co_await routes.upsert(std::move(workspace));
    if (reconciler.started()) reconciler.desire_changed(id);
}

api::ServerSays Core::server_says() const {
    const auto& queue = reconciler.queue();
    const auto up = std::chrono::duration_cast<std::chrono::seconds>(clock.steady_now() - began_steady_);
    return {.version = std::string(kVersion),
            .started_at = began_,
            .uptime_seconds = up.count(),
            .name = store->server_name(),
            .database = store->describe(),
            .on_postgresql = configuration.on_postgresql(),
            .starts_queued = queue.waiting(),
            .starts_in_progress = queue.inside(),
            .starts_limit = queue.limit()};
}

services::ProjectTools Core::project_tools(asio::any_io_executor executor) {
    return {executor, clock, *store, runtime, volume_files, backup_files, project_work};
}

void Core::add_routes() {
    auto& router = api.router();
    api::add_auth_routes(router, accounts, api_tokens, clock, configuration.server.public_url.value_or(""));
    api::add_session_routes(router, sessions);
    api::add_admin_routes(router, {administration, containers, [this] { return server_says(); }});
    api::add_idle_routes(router, {clock, workspaces, idle});
    api::add_workspace_routes(router,
                              {catalogue, availability, workspaces, associations, containers, idle, limits});
    api::add_limits_routes(router, {catalogue, workspaces, limits});
    api::add_quota_routes(router, {quotas, users});
    api::add_operator_quota_routes(operator_api.router(), {quotas, users});
    api::add_lifecycle_routes(router, {catalogue, workspaces, containers, tickets, shares,
                                       [this] { return applications_origin(); }});
    api::add_monitoring_routes(router, {clock, workspaces, containers, logs, usage, monitoring});
    api::add_execution_routes(router, {clock, workspaces, executions});
    api::add_workspace_file_routes(router, workspace_files);
    api::add_terminal_routes(router, {clock, workspaces, terminals, tickets});
    api::add_event_routes(router, {workspaces, events});
    api::add_share_routes(router, {workspaces, shares, [this] { return applications_origin(); }});
    api::add_project_routes(router, {projects, associations, volumes, project_files});
    api::add_backup_routes(router, {projects, backups, restores, project_work, backup_files, clock});
    api::add_file_routes(router, {project_files, projects, backup_files});
    api::add_trash_routes(router, {volumes, routes, clock});
    api::add_cleaning_routes(router, cleaning, volumes);
    api::add_operator_cleaning_routes(operator_api.router(), cleaning, volumes);
    api::add_operator_routes(
        operator_api.router(),
        {users, {volumes, routes, clock}, *store, runtime, adoption, [this] { return status(); }});
    api::add_operator_backup_routes(operator_api.router(),
                                    {*store, users, backups, restores, project_work, backup_files});
    api::add_repair_routes(operator_api.router(),
                           {clock, *store, runtime, volumes, [this](model::Workspace workspace) {
                                return workspace_mended(std::move(workspace));
                            }});
    api::add_audit_routes(router, audit);
    api::add_operator_audit_routes(operator_api.router(), audit);
    api::add_page_routes(router,
                         {configuration.auth.registration_open, [this] { return applications_origin(); }});
    api::add_server_routes(router,
                           {clock, *store, runtime, std::string(kVersion), [this] { return metrics(); }});
    api::add_documentation_routes(router);
}

}  // namespace agentdb9::cli

#include "api/backup_routes.hpp"

#include <map>

#include "api/body.hpp"
#include "api/downloads.hpp"
#include "api/envelope.hpp"
#include "api/views.hpp"

namespace agentdb9::api {
namespace {

using base::BackupId;
using base::Error;
using base::ErrorCode;
using base::ProjectId;
using model::ProjectOperation;

constexpr std::size_t kMaxName = 100;
constexpr std::chrono::seconds kWaitLimit{60};
constexpr std::string_view kArchiveType = "application/zstd";

// How a piece of work ended, as an error of the request that waited for it.
Error error_of(const ProjectOperation& operation) {
    static const std::map<std::string, ErrorCode, std::less<>> kCodes{
        {"archive_invalid", ErrorCode::kInvalid},         {"archive_too_large", ErrorCode::kTooLarge},
        {"runtime_unavailable", ErrorCode::kUnavailable}, {"backup_storage", ErrorCode::kUnavailable},
        {"engine_storage_full", ErrorCode::kUnavailable}, {"database_unavailable", ErrorCode::kUnavailable},
        {"runtime_timeout", ErrorCode::kTimeout},         {"runtime_error", ErrorCode::kUpstream},
        {"internal_error", ErrorCode::kInternal}};
    const auto word = operation.error_code.value_or("operation_failed");
    const auto known = kCodes.find(word);
    return {known == kCodes.end() ? ErrorCode::kConflict : known->second, word,
            operation.error.value_or("The operation failed; try again.")};
}

// Server-sent events (WHATWG HTML, section 9.2): an operation whenever it has changed.
class OperationEvents {
  public:
    OperationEvents(const BackupServices& services, base::UserId user, ProjectId project)
        : s_(services), user_(user), project_(project), until_(s_.clock.steady_now() + kLongest) {}

    Task<std::optional<std::string>> next() {
        auto quiet_since = s_.clock.steady_now();
        for (;;) {
            // The client comes again, and has to show its token again.
            if (s_.clock.steady_now() >= until_) co_return std::nullopt;
            auto text = co_await changes();
            if (!text.empty()) co_return std::optional(std::move(text));
            if (s_.clock.steady_now() - quiet_since >= kQuiet)
                co_return std::optional<std::string>(": quiet\n\n");
            co_await s_.clock.sleep_for(kPause);
        }
    }

  private:
    static constexpr std::chrono::minutes kLongest{10};
    static constexpr std::chrono::seconds kQuiet{15};
    static constexpr std::chrono::milliseconds kPause{500};
    static constexpr std::size_t kLatest = 20;

    Task<std::string> changes() {
        const auto latest = co_await s_.backups.operations(user_, project_, {.limit = kLatest, .cursor = {}});
        std::string text;
        for (auto row = latest.rows.rbegin(); row != latest.rows.rend(); ++row) {
            auto told = base::to_text(to_json(s_.work.with_progress(*row)));
            auto& last = told_[row->id];
            if (last == told) continue;
            text += "event: operation\nid: " + row->id.str() + "\ndata: " + told + "\n\n";
            last = std::move(told);
        }
        co_return text;
    }

    BackupServices s_;
    base::UserId user_;
    ProjectId project_;
    base::SteadyTime until_;
    std::map<base::OperationId, std::string> told_;
};

class BackupRoutes {
  public:
    explicit BackupRoutes(const BackupServices& services) : s_(services) {}

    Task<http::Response> create(Call& call) {
        const auto id = call.id<ProjectId>("id");
        co_await s_.projects.find(call.user().user, id);
        Body body(call.request);
        services::BackupRequest request;
        request.name = body.optional_text("name", 1, kMaxName);
        request.pause = body.optional_bool("pause").value_or(false);
        body.finish();
        const auto begun = co_await s_.backups.create(call.user().user, id, std::move(request));
        const auto ended = co_await ended_operation(call, begun.operation);
        if (!ended) co_return goes_on(begun.operation);
        co_return created(to_json(co_await s_.backups.find(call.user().user, id, begun.backup.id)),
                          "Backup created");
    }

    Task<http::Response> list(Call& call) {
        const auto page = co_await s_.backups.list(call.user().user, call.id<ProjectId>("id"), call.page());
        co_return listing(to_json_array(page.rows), page.next);
    }

    Task<http::Response> list_all(Call& call) {
        const auto page = co_await s_.backups.list_all(call.user().user, call.page());
        co_return listing(to_json_array(page.rows), page.next);
    }

    Task<http::Response> show(Call& call) { co_return ok(to_json(co_await backup(call))); }

    Task<http::Response> download_file(Call& call) {
        const auto found = co_await backup(call);
        auto file = co_await s_.backups.open(found);
        auto response = download(kArchiveType, found.project_name + ".tar.zst", s_.files, std::move(file));
        set_etag(response, found.sha256);
        co_return response;
    }

    Task<http::Response> remove(Call& call) {
        const auto found = co_await backup(call);
        Body(call.request).finish();
        co_await s_.backups.remove(call.user().user, found.project_id, found.id);
        co_return ok(nullptr, "Backup deleted");
    }

    Task<http::Response> restore(Call& call) {
        const auto id = call.id<ProjectId>("id");
        co_await s_.backups.require_known(call.user().user, id);
        Body body(call.request);
        const auto backup = body.required_id<BackupId>("backupId");
        const auto fields = body.optional_object("newProject", 1000);
        std::optional<services::RestoreService::NewProject> as_new;
        if (fields) as_new = read_new_project(body, *fields);
        body.finish();
        const bool into_new = as_new.has_value();
        const auto operation = co_await s_.restores.restore(call.user().user, id, backup, std::move(as_new));
        co_return co_await answer_with_project(call, operation, into_new, "Project restored");
    }

    Task<http::Response> clone(Call& call) {
        const auto id = call.id<ProjectId>("id");
        co_await s_.projects.find(call.user().user, id);
        Body body(call.request);
        auto name = body.optional_text("name", 1, kMaxName);
        body.finish();
        const auto operation = co_await s_.restores.clone(call.user().user, id, std::move(name));
        co_return co_await answer_with_project(call, operation, true, "Project cloned");
    }

    Task<http::Response> import(Call& call) {
        // As strict with the name as a body would be.
        Body query(json::object{{"name", call.query("name").value_or("Imported project")}});
        auto name = query.required_text("name", 1, kMaxName);
        query.finish();
        const auto operation =
            co_await s_.restores.import(call.user().user, std::move(name), *call.request.body_stream);
        co_return co_await answer_with_project(call, operation, true, "Project imported");
    }

    Task<http::Response> operations(Call& call) {
        const auto page =
            co_await s_.backups.operations(call.user().user, call.id<ProjectId>("id"), call.page());
        json::array rows;
        for (const auto& row : page.rows)
            rows.push_back(to_json(s_.work.with_progress(row)));
        co_return listing(std::move(rows), page.next);
    }

    Task<http::Response> events(Call& call) {
        const auto id = call.id<ProjectId>("id");
        co_await s_.backups.operations(call.user().user, id, {.limit = 1, .cursor = {}});
        http::Response response;
        response.headers.set("Content-Type", "text/event-stream");
        response.headers.set("Cache-Control", "no-store");
        auto events = std::make_shared<OperationEvents>(s_, call.user().user, id);
        response.next_piece = [events] { return events->next(); };
        co_return response;
    }

  private:
    // The project first: what is another's answers like what is not there, whatever else is wrong.
    Task<model::Backup> backup(Call& call) {
        const auto project = call.id<ProjectId>("id");
        co_await s_.backups.require_known(call.user().user, project);
        co_return co_await s_.backups.find(call.user().user, project, call.id<BackupId>("backupId"));
    }

    static services::RestoreService::NewProject read_new_project(Body& body, const json::object& fields) {
        services::RestoreService::NewProject made;
        Body inner(fields);
        made.name = inner.optional_text("name", 1, kMaxName);
        try {
            inner.finish();
        } catch (const Error& error) {
            for (const auto& each : error.fields())
                body.problem("newProject", "has the field '" + each.field + "', which " + each.problem);
        }
        return made;
    }

    // Absent when it goes on. Throws what made it fail.
    Task<std::optional<ProjectOperation>> ended_operation(Call& call, ProjectOperation operation) {
        if (http::list_has(call.request.headers.get("Prefer").value_or(""), "respond-async"))
            co_return std::nullopt;
        auto ended = co_await s_.work.wait(std::move(operation), kWaitLimit);
        if (ended && ended->state == model::OperationState::kFailed) throw error_of(*ended);
        co_return ended;
    }

    http::Response goes_on(const ProjectOperation& operation) {
        return accepted(to_json(s_.work.with_progress(operation)),
                        "The operation goes on; ask for it under operations");
    }

    Task<http::Response> answer_with_project(Call& call, ProjectOperation operation, bool made,
                                             std::string_view message) {
        const std::string text(message);
        if (!co_await ended_operation(call, operation)) co_return goes_on(operation);
        auto project = to_json(co_await s_.restores.result(call.user().user, operation));
        co_return made ? created(std::move(project), text) : ok(std::move(project), text);
    }

    BackupServices s_;
};

}  // namespace

void add_backup_routes(Router& router, const BackupServices& services) {
    auto routes = std::make_shared<BackupRoutes>(services);
    const auto add = [&](std::string method, std::string path,
                         Task<http::Response> (BackupRoutes::*handler)(Call&)) {
        router.add(std::move(method), "/api" + std::move(path), Access::kUser,
                   [routes, handler](Call& call) { return (*routes.*handler)(call); });
    };
    add("GET", "/backups", &BackupRoutes::list_all);
    add("POST", "/projects/:id/backups", &BackupRoutes::create);
    add("GET", "/projects/:id/backups", &BackupRoutes::list);
    add("GET", "/projects/:id/backups/:backupId", &BackupRoutes::show);
    add("DELETE", "/projects/:id/backups/:backupId", &BackupRoutes::remove);
    add("GET", "/projects/:id/backups/:backupId/download", &BackupRoutes::download_file);
    add("POST", "/projects/:id/restore", &BackupRoutes::restore);
    add("POST", "/projects/:id/clone", &BackupRoutes::clone);
    add("GET", "/projects/:id/operations", &BackupRoutes::operations);
    add("GET", "/projects/:id/events", &BackupRoutes::events);
    router.add_streaming("POST", "/api/projects/import", Access::kUser,
                         [routes](Call& call) { return routes->import(call); });
    // What clients of an earlier backend call.
    add("POST", "/workspaces/projects/:id/backup", &BackupRoutes::create);
    add("POST", "/workspaces/projects/:id/restore", &BackupRoutes::restore);
    add("POST", "/workspaces/projects/:id/clone", &BackupRoutes::clone);
}

}  // namespace agentdb9::api

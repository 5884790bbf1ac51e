#include "api/operator_backup_routes.hpp"

#include <cstring>
#include <map>

#include "api/body.hpp"
#include "api/envelope.hpp"
#include "api/views.hpp"

namespace agentdb9::api {
namespace {

using base::BackupId;
using base::OperationId;
using base::ProjectId;
using model::ProjectOperation;

constexpr std::size_t kMaxName = 100;
// Who asks comes again: no request is longer than a client's patience.
constexpr std::chrono::seconds kWaitLimit{20};

// A file on this machine, as the operator names it.
class FileSource final : public base::ByteSource {
  public:
    FileSource(services::BackupFiles& files, std::shared_ptr<services::BackupFiles::File> file)
        : files_(files), file_(std::move(file)) {}
    Task<std::size_t> read(std::span<char> room) override {
        if (taken_ == piece_.size()) {
            piece_ = co_await files_.read(file_);
            taken_ = 0;
        }
        const auto amount = std::min(room.size(), piece_.size() - taken_);
        std::memcpy(room.data(), piece_.data() + taken_, amount);
        taken_ += amount;
        co_return amount;
    }

  private:
    services::BackupFiles& files_;
    std::shared_ptr<services::BackupFiles::File> file_;
    std::string piece_;
    std::size_t taken_ = 0;
};

class OperatorBackupRoutes {
  public:
    explicit OperatorBackupRoutes(const OperatorBackupServices& services) : s_(services) {}

    Task<http::Response> list(Call& call) {
        const auto project = call.query("project");
        std::optional<ProjectId> wanted;
        if (project && !(wanted = ProjectId::parse(*project)))
            throw base::invalid_field("project", "must be a UUID");
        const auto [rows, emails] = co_await s_.store.read([](store::Transaction& tx) {
            std::map<base::UserId, std::string> found;
            for (const auto& user : tx.users().all())
                found.emplace(user.id, user.email);
            return std::pair(tx.backups().all(), found);
        });
        json::array listed;
        for (const auto& row : rows) {
            if (row.state == model::BackupState::kDeleting || (wanted && row.project_id != *wanted)) continue;
            auto data = view(row);
            const auto owner = emails.find(row.user_id);
            data["userEmail"] = owner == emails.end() ? json::value(nullptr) : json::value(owner->second);
            listed.emplace_back(std::move(data));
        }
        co_return listing(std::move(listed), std::nullopt);
    }

    Task<http::Response> create(Call& call) {
        const auto id = call.id<ProjectId>("id");
        Body body(call.request);
        services::BackupRequest request;
        request.name = body.optional_text("name", 1, kMaxName);
        request.pause = body.optional_bool("pause").value_or(false);
        body.finish();
        const auto project =
            co_await s_.store.read([id](store::Transaction& tx) { return tx.projects().find(id); });
        if (!project) throw base::not_found("project");
        const auto begun = co_await s_.backups.create(project->user_id, id, std::move(request));
        co_return co_await progress(begun.operation);
    }

    Task<http::Response> show(Call& call) { co_return ok(view(co_await backup(call))); }

    Task<http::Response> restore(Call& call) {
        const auto found = co_await backup(call);
        Body body(call.request);
        const bool as_new = body.optional_bool("asNew").value_or(false);
        auto name = body.optional_text("name", 1, kMaxName);
        body.finish();
        std::optional<services::RestoreService::NewProject> target;
        if (as_new || name) target.emplace(std::move(name));
        co_return co_await progress(
            co_await s_.restores.restore(found.user_id, found.project_id, found.id, std::move(target)));
    }

    Task<http::Response> remove(Call& call) {
        const auto found = co_await backup(call);
        co_await s_.backups.remove(found.user_id, found.project_id, found.id);
        co_return ok(nullptr, "Backup deleted");
    }

    Task<http::Response> import(Call& call) {
        Body body(call.request);
        const auto who = body.required_text("user", 1, 254);
        const auto path = body.required_text("file", 1, 4096);
        auto name = body.required_text("name", 1, kMaxName);
        body.finish();
        const auto user = co_await s_.users.find(who);
        FileSource source(s_.files, co_await s_.files.open(path));
        co_return co_await progress(co_await s_.restores.import(user.id, std::move(name), source));
    }

    Task<http::Response> operation(Call& call) {
        const auto id = call.id<OperationId>("id");
        const auto row =
            co_await s_.store.read([id](store::Transaction& tx) { return tx.project_operations().find(id); });
        if (!row) throw base::not_found("operation");
        co_return co_await progress(*row);
    }

  private:
    json::object view(const model::Backup& backup) const {
        auto data = to_json(backup);
        data["path"] =
            backup.file.empty() ? json::value(nullptr) : json::value(s_.files.archive(backup).string());
        return data;
    }

    Task<model::Backup> backup(Call& call) {
        const auto id = call.id<BackupId>("id");
        const auto row =
            co_await s_.store.read([id](store::Transaction& tx) { return tx.backups().find(id); });
        if (!row || row->state == model::BackupState::kDeleting) throw base::not_found("backup");
        co_return *row;
    }

    // As it ended, or as far as it is after a while.
    Task<http::Response> progress(ProjectOperation operation) {
        auto ended = co_await s_.work.wait(operation, kWaitLimit);
        co_return ok(to_json(ended ? *ended : s_.work.with_progress(operation)));
    }

    OperatorBackupServices s_;
};

}  // namespace

void add_operator_backup_routes(Router& router, const OperatorBackupServices& services) {
    auto routes = std::make_shared<OperatorBackupRoutes>(services);
    const auto add = [&](std::string method, std::string path,
                         Task<http::Response> (OperatorBackupRoutes::*handler)(Call&)) {
        router.add(std::move(method), "/operator" + std::move(path), Access::kPublic,
                   [routes, handler](Call& call) { return (*routes.*handler)(call); });
    };
    add("GET", "/backups", &OperatorBackupRoutes::list);
    add("POST", "/projects/:id/backups", &OperatorBackupRoutes::create);
    add("POST", "/backups/import", &OperatorBackupRoutes::import);
    add("GET", "/backups/:id", &OperatorBackupRoutes::show);
    add("DELETE", "/backups/:id", &OperatorBackupRoutes::remove);
    add("POST", "/backups/:id/restore", &OperatorBackupRoutes::restore);
    add("GET", "/project-operations/:id", &OperatorBackupRoutes::operation);
}

}  // namespace agentdb9::api

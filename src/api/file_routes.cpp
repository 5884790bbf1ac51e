#include "api/file_routes.hpp"

#include "api/downloads.hpp"
#include "api/envelope.hpp"

namespace agentdb9::api {
namespace {

using base::ProjectId;

constexpr std::size_t kMaxPath = 4096;

json::object to_json(const archive::Entry& entry) {
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", entry.mode & 07777U);
    return {{"name", entry.path},
            {"type", archive::to_text(entry.type)},
            {"size", entry.size},
            {"mode", mode.data()},
            {"uid", entry.uid},
            {"gid", entry.gid},
            {"modifiedAt", base::format_time(entry.modified_at)},
            {"target", entry.link_target.empty() ? json::value(nullptr) : json::value(entry.link_target)}};
}

std::string path_of(const Call& call) {
    auto path = call.query("path").value_or("");
    if (path.size() > kMaxPath) throw base::invalid_field("path", "must have at most 4096 bytes");
    if (path.contains('\0')) throw base::invalid_field("path", "must not contain a zero byte");
    return path;
}

class FileRoutes {
  public:
    explicit FileRoutes(const FileServices& services) : s_(services) {}

    Task<http::Response> list(Call& call) {
        const auto id = call.id<ProjectId>("id");
        co_await s_.projects.find(call.user().user, id);
        auto path = path_of(call);
        const auto directory = co_await s_.project_files.list(call.user().user, id, path, call.page().limit);
        json::array entries;
        for (const auto& entry : directory.entries)
            entries.emplace_back(to_json(entry));
        co_return ok(
            json::object{{"path", path}, {"entries", std::move(entries)}, {"complete", directory.complete}});
    }

    Task<http::Response> content(Call& call) {
        const auto id = call.id<ProjectId>("id");
        co_await s_.projects.find(call.user().user, id);
        auto path = path_of(call);
        if (path.empty()) throw base::invalid_field("path", "is missing");
        const auto file = co_await s_.project_files.open(call.user().user, id, path);
        auto response =
            download("application/octet-stream", path.substr(path.rfind('/') + 1), file->head().size);
        response.next_piece = [file]() -> Task<std::optional<std::string>> {
            auto piece = co_await file->piece();
            if (piece.empty()) co_return std::nullopt;
            co_return std::optional(std::move(piece));
        };
        co_return response;
    }

    Task<http::Response> export_project(Call& call) {
        auto made = co_await s_.project_files.export_archive(call.user().user, call.id<ProjectId>("id"));
        auto response =
            download("application/zstd", made.project.name + ".tar.zst", s_.files, std::move(made.file));
        set_etag(response, made.sha256);
        co_return response;
    }

    Task<http::Response> size(Call& call) {
        co_return ok(
            api::to_json(co_await s_.project_files.measure(call.user().user, call.id<ProjectId>("id"))));
    }

  private:
    FileServices s_;
};

}  // namespace

json::object to_json(const services::Usage& usage) {
    return {{"sizeBytes", usage.contents.bytes},
            {"files", usage.contents.files},
            {"directories", usage.contents.directories},
            {"links", usage.contents.links},
            {"measuredAt", base::format_time(usage.measured_at)}};
}

void add_file_routes(Router& router, const FileServices& services) {
    auto routes = std::make_shared<FileRoutes>(services);
    const auto add = [&](std::string method, std::string path,
                         Task<http::Response> (FileRoutes::*handler)(Call&)) {
        router.add(std::move(method), "/api" + std::move(path), Access::kUser,
                   [routes, handler](Call& call) { return (*routes.*handler)(call); });
    };
    add("GET", "/projects/:id/files", &FileRoutes::list);
    add("GET", "/projects/:id/files/content", &FileRoutes::content);
    add("GET", "/projects/:id/export", &FileRoutes::export_project);
    add("GET", "/workspaces/projects/:id/volume-size", &FileRoutes::size);
}

}  // namespace agentdb9::api

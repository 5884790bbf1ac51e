#include "api/workspace_file_routes.hpp"

#include "api/envelope.hpp"

namespace agentdb9::api {
namespace {

using base::WorkspaceId;
using services::WorkspaceFiles;

Task<http::Response> read(WorkspaceFiles& files, Call& call) {
    const auto id = call.id<WorkspaceId>("id");
    auto reading = co_await files.read(call.user(), id, call.query("path").value_or(""));
    // What is wrong with the path is told before a success has begun.
    auto first = std::make_shared<std::optional<std::string>>(co_await reading->piece());
    http::Response response;
    response.headers.set("Content-Type", "application/x-tar");
    response.headers.set("Content-Disposition", "attachment; filename=\"files.tar\"");
    response.headers.set("X-Content-Type-Options", "nosniff");
    response.headers.set("Content-Security-Policy", "sandbox; default-src 'none'");
    response.headers.set("Cache-Control", "no-store");
    response.next_piece = [reading, first]() -> Task<std::optional<std::string>> {
        auto piece = *first ? *std::exchange(*first, std::nullopt) : co_await reading->piece();
        if (piece.empty()) co_return std::nullopt;
        co_return std::optional(std::move(piece));
    };
    co_return response;
}

Task<http::Response> write(WorkspaceFiles& files, Call& call) {
    const auto id = call.id<WorkspaceId>("id");
    const auto bytes =
        co_await files.write(call.user(), id, call.query("path").value_or(""), call.request.body_stream);
    co_return ok(json::object{{"bytes", bytes}}, "Files copied");
}

}  // namespace

void add_workspace_file_routes(Router& router, WorkspaceFiles& files) {
    // Who has gone needs no answer, and is to leave nothing running.
    router.add_attended("GET", "/api/workspaces/:id/files", Access::kUser,
                        [&files](Call& call) { return read(files, call); });
    router.add_streaming("PUT", "/api/workspaces/:id/files", Access::kUser,
                         [&files](Call& call) { return write(files, call); });
}

}  // namespace agentdb9::api

#include "api/admin_routes.hpp"

#include <algorithm>

#include "api/body.hpp"
#include "api/envelope.hpp"
#include "api/lifecycle_routes.hpp"

namespace agentdb9::api {
namespace {

constexpr std::size_t kLongestFilter = 300;

std::optional<std::string> text_in_query(const Call& call, std::string_view name) {
    auto text = call.query(name);
    if (!text) return std::nullopt;
    if (text->empty() || text->size() > kLongestFilter)
        throw base::invalid_field(std::string(name), "must have 1 to 300 characters");
    if (std::ranges::any_of(*text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
        throw base::invalid_field(std::string(name), "must not contain control characters");
    return text;
}

template <class Enum>
std::optional<Enum> enum_in_query(const Call& call, std::string_view name) {
    const auto text = call.query(name);
    if (!text) return std::nullopt;
    const auto value = model::enum_from_text<Enum>(*text);
    if (!value) throw base::invalid_field(std::string(name), "is not one of the allowed values");
    return value;
}

std::optional<bool> flag_in_query(const Call& call, std::string_view name) {
    const auto text = call.query(name);
    if (!text) return std::nullopt;
    if (*text != "true" && *text != "false")
        throw base::invalid_field(std::string(name), "must be true or false");
    return *text == "true";
}

json::object with_password(const services::ChangedUser& user) {
    auto view = to_json(user.summary);
    if (user.one_time_password) view["oneTimePassword"] = *user.one_time_password;
    return view;
}

class AdminRoutes {
  public:
    explicit AdminRoutes(const AdminServices& services) : s_(services) {}

    Task<http::Response> users(Call& call) {
        model::UserFilter filter{.text = text_in_query(call, "search"),
                                 .role = enum_in_query<model::Role>(call, "role"),
                                 .active = flag_in_query(call, "active")};
        const auto found = co_await s_.administration.users(std::move(filter), call.page());
        json::array rows;
        for (const auto& each : found.rows)
            rows.emplace_back(to_json(each));
        co_return listing(std::move(rows), found.next);
    }

    Task<http::Response> add_user(Call& call) {
        Body body(call.request);
        auto email = body.required_text("email", 1, 254);
        auto username = body.optional_text("username", 1, 100);
        const auto role = body.optional_enum<model::Role>("role");
        auto password = body.optional_secret("password");
        body.finish();
        if (!username) username = email.substr(0, email.find('@'));
        const auto made = co_await s_.administration.create_user(
            std::move(email), std::move(*username), std::move(password), role.value_or(model::Role::kUser));
        co_return created(with_password(made), "User created");
    }

    Task<http::Response> show_user(Call& call) {
        co_return ok(to_json(co_await s_.administration.user(call.id<base::UserId>("id"))));
    }

    Task<http::Response> change_user(Call& call) {
        const auto id = call.id<base::UserId>("id");
        co_await s_.administration.user(id);
        Body body(call.request);
        services::UserChange change;
        change.role = body.optional_enum<model::Role>("role");
        change.active = body.optional_bool("isActive");
        change.password = body.optional_secret("password");
        change.reset_password = body.optional_bool("resetPassword").value_or(false);
        if (change.password && change.reset_password)
            body.problem("resetPassword", "makes a password of its own: it goes without password");
        body.finish();
        co_return ok(
            with_password(co_await s_.administration.change_user(call.user(), id, std::move(change))),
            "User updated");
    }

    Task<http::Response> workspaces(Call& call) {
        model::WorkspaceFilter filter{.user = {},
                                      .type = text_in_query(call, "type"),
                                      .status = enum_in_query<model::WorkspaceStatus>(call, "status")};
        if (const auto user = call.query("user")) {
            filter.user = base::UserId::parse(*user);
            if (!filter.user) throw base::invalid_field("user", "must be a UUID");
        }
        const auto found = co_await s_.administration.workspaces(std::move(filter), call.page());
        json::array rows;
        for (const auto& each : found.rows)
            rows.emplace_back(to_json(each, s_.containers.live_phase(each.workspace)));
        co_return listing(std::move(rows), found.next);
    }

    Task<http::Response> stop_workspace(Call& call) {
        const auto id = call.id<base::WorkspaceId>("id");
        co_await s_.administration.workspace(id);
        Body(call.request).finish();
        const auto done = co_await s_.administration.stop_workspace(id, request_options(call));
        if (!done.finished) co_return respond(s_.containers, done, {});
        const auto now = co_await s_.administration.workspace(id);
        co_return ok(to_json(now, s_.containers.live_phase(now.workspace)), "Workspace stopped");
    }

    Task<http::Response> overview(Call&) {
        const auto overview = co_await s_.administration.overview();
        co_return ok(to_json(overview, s_.server()));
    }

  private:
    AdminServices s_;
};

}  // namespace

void add_admin_routes(Router& router, const AdminServices& services) {
    auto routes = std::make_shared<AdminRoutes>(services);
    const auto add = [&](std::string method, std::string path,
                         Task<http::Response> (AdminRoutes::*handler)(Call&)) {
        router.add(std::move(method), "/api/admin" + std::move(path), Access::kAdmin,
                   [routes, handler](Call& call) { return (*routes.*handler)(call); });
    };
    add("GET", "/users", &AdminRoutes::users);
    add("POST", "/users", &AdminRoutes::add_user);
    add("GET", "/users/:id", &AdminRoutes::show_user);
    add("PATCH", "/users/:id", &AdminRoutes::change_user);
    add("GET", "/workspaces", &AdminRoutes::workspaces);
    add("POST", "/workspaces/:id/stop", &AdminRoutes::stop_workspace);
    add("GET", "/overview", &AdminRoutes::overview);
}

}  // namespace agentdb9::api

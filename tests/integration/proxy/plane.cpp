#include "plane.hpp"

#include <filesystem>

namespace agentdb9::test {

using namespace std::chrono_literals;

namespace {

proxy::Options with_free_ports(proxy::Options options) {
    options.api.port = 0;
    options.applications.port = 0;
    return options;
}

}  // namespace

std::size_t descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

Plane::Plane(proxy::Options options) : work_(asio::make_work_guard(control_)) {
    expires_at = std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now()) + 1h;
    proxy::ControlPlane control;
    control.executor = control_.get_executor();
    control.streams_body = [this](std::string_view method, std::string_view path) {
        return streams_body && streams_body(method, path);
    };
    control.ends_with_client = [this](std::string_view method, std::string_view path) {
        return ends_with_client && ends_with_client(method, path);
    };
    control.api = [this](http::Request request) -> Task<http::Response> {
        if (api_handler) co_return co_await api_handler(std::move(request));
        http::Response response;
        response.headers.add("Content-Type", "text/plain");
        response.body = request.method + " " + request.target + " " + request.body;
        co_return response;
    };
    control.operator_api = [](http::Request request) -> Task<http::Response> {
        http::Response response;
        response.body = "operator " + request.target;
        co_return response;
    };
    control.authenticate = [this](auth::Credential credential) {
        return authenticate(std::move(credential));
    };
    control.redeem_ticket = [this](std::string ticket, base::WorkspaceId workspace,
                                   int port) -> Task<proxy::Answer<proxy::ApplicationCookie>> {
        if (ticket != "good ticket")
            co_return std::unexpected(
                http::Problem{401, "ticket_invalid", "The ticket was used or is not valid.", {}});
        co_return proxy::ApplicationCookie{"cookie-" + workspace.str() + "-" + std::to_string(port),
                                           expires_at};
    };
    control.wake = [this](base::UserId, base::WorkspaceId,
                          bool insists) -> Task<proxy::Answer<model::Awakening>> {
        ++wakes;
        if (insists) ++insisted;
        if (wake_refused) co_return std::unexpected(*wake_refused);
        co_return awakening;
    };
    control.look_at_start = [this](base::UserId, base::WorkspaceId) -> Task<proxy::Answer<model::Awakening>> {
        ++looks;
        co_return awakening;
    };
    plane = std::make_unique<proxy::DataPlane>(with_free_ports(std::move(options)), std::move(control));
    thread_ = std::thread([this] { control_.run(); });
    on_control([this] { plane->start(); });
}

Plane::~Plane() {
    on_control([this] { plane->stop(); });
    work_.reset();
    thread_.join();
}

void Plane::on_control(std::function<void()> work) {
    asio::co_spawn(
        control_,
        [](std::function<void()> run) -> Task<> {
            run();
            co_return;
        }(std::move(work)),
        asio::use_future)
        .get();
}

Task<proxy::Answer<auth::Principal>> Plane::authenticate(auth::Credential credential) {
    ++authentications;
    if (before_authentication) co_await before_authentication();
    http::Problem refused{401, "invalid_token", "The token is not valid.", {}};
    if (authentication_fails) co_return std::unexpected(refused);
    auth::Principal principal{user, "a@example.org", "a",           model::Role::kUser, session, {},
                              {},   expires_at,      token_ends_at, token_scope};
    if (credential.kind == auth::Credential::Kind::kApplicationCookie) {
        constexpr std::string_view kOthers = "others-";
        if (credential.text.starts_with(kOthers)) {
            principal.user = other;
            credential.text.erase(0, kOthers.size());
        }
        if (!credential.text.starts_with("cookie-")) co_return std::unexpected(refused);
        auto workspace =
            base::WorkspaceId::parse(std::string_view(credential.text).substr(7, base::kUuidLength));
        principal.scope = {*workspace, std::stoi(credential.text.substr(8 + base::kUuidLength))};
        co_return principal;
    }
    if (credential.text == "good" || credential.text == kSignedToken) co_return principal;
    if (credential.text == "others") {
        principal.user = other;
        co_return principal;
    }
    co_return std::unexpected(refused);
}

model::Route& Plane::add(std::uint16_t upstream_port, const base::UserId& owner) {
    auto workspace = base::WorkspaceId::generate();
    model::Route route{
        workspace, owner, "vscode", 8080, true, model::RouteState::kReady, "i-" + workspace.str(),
        {},        {},    {}};
    route.published[8080] = {"127.0.0.1", upstream_port};
    route.use = std::make_shared<model::InstanceUse>();
    routes.push_back(route);
    publish();
    return routes.back();
}

void Plane::publish() {
    auto table = std::make_shared<model::RouteTable>();
    table->version = ++version;
    table->defaults = defaults;
    table->sharings = sharings;
    for (const auto& route : routes)
        table->routes[route.workspace] = std::make_shared<const model::Route>(route);
    on_control([&] { plane->publish(table); });
    on_control(plane->published_everywhere());
}

void Plane::revoke(auth::Revocation revocation) {
    on_control([&] { plane->revoke(revocation); });
    // In force on every worker.
    on_control(plane->published_everywhere());
}

std::string Plane::proxy(const model::Route& route, const std::string& rest) {
    return "/api/workspaces/" + route.workspace.str() + "/proxy" + rest;
}

std::string Plane::app(const model::Route& route, const std::string& rest, int port) {
    return "/" + route.workspace.str() + "/" + std::to_string(port) + rest;
}

std::string Plane::cookie(const model::Route& route, int port) {
    return "Cookie: agentdb9_app=cookie-" + route.workspace.str() + "-" + std::to_string(port) + "\r\n";
}

std::string Plane::others_cookie(const model::Route& route, int port) {
    return "others-cookie-" + route.workspace.str() + "-" + std::to_string(port);
}

std::string Plane::host(const model::Route& route, int port) {
    return std::to_string(port) + "--" + route.workspace.str() + "." + kAppsDomain;
}

std::string Plane::get_at(const std::string& host, const std::string& path, const std::string& fields,
                          const std::string& method) {
    return method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields + "\r\n";
}

model::Sharing Plane::share(const model::Route& route, model::ShareLevel level, const std::string& link,
                            std::optional<base::Time> ends_at, int port) {
    auto changed =
        sharings ? std::make_shared<model::Sharings>(*sharings) : std::make_shared<model::Sharings>();
    model::Sharing made{{.id = base::ShareId::generate(),
                         .workspace_id = route.workspace,
                         .user_id = route.owner,
                         .port = port,
                         .level = level,
                         .created_at = {},
                         .expires_at = ends_at},
                        link};
    (*changed)[route.workspace].push_back(made);
    sharings = changed;
    publish();
    return made;
}

void Plane::share_nothing() {
    sharings = nullptr;
    publish();
}

Message ask(Connection& client, const std::string& request, bool head_only) {
    client.send(request);
    return read_message(client, head_only);
}

std::string Plane::get(const std::string& path, const std::string& fields) const {
    return "GET " + path + " HTTP/1.1\r\nHost: agentdb9.test\r\n" + fields + "\r\n";
}

}  // namespace agentdb9::test

#include "api/quota_routes.hpp"

#include "api/body.hpp"
#include "api/envelope.hpp"

namespace agentdb9::api {
namespace {

constexpr std::int64_t kMostCount = 1'000'000;
constexpr std::int64_t kMostMemoryMb = std::int64_t{1} << 40;
constexpr std::int64_t kMostBytes = std::int64_t{1} << 53;

std::optional<std::optional<std::int64_t>> read_integer(Body& body, std::string_view field,
                                                        std::int64_t most) {
    if (body.is_null(field)) {
        body.ignore(field);
        return std::optional<std::int64_t>();
    }
    if (!body.has(field)) {
        body.ignore(field);
        return std::nullopt;
    }
    return body.optional_integer(field, 0, most);
}

services::QuotaChange read_change(Body& body) {
    services::QuotaChange change;
    change.workspaces = read_integer(body, "workspaces", kMostCount);
    change.running = read_integer(body, "running", kMostCount);
    if (body.is_null("cpus")) {
        body.ignore("cpus");
        change.cpus.emplace();
    } else if (const auto cpus = body.optional_number("cpus", 0, static_cast<double>(kMostCount))) {
        change.cpus = cpus;
    }
    change.memory_mb = read_integer(body, "memory", kMostMemoryMb);
    change.volume_bytes = read_integer(body, "volumeBytes", kMostBytes);
    body.finish();
    return change;
}

json::object own_view(const services::QuotaReport& report) {
    return {{"limits", model::to_json(report.in_force)}, {"used", model::to_json(report.use)}};
}

json::object view(const services::QuotaReport& report) {
    auto object = own_view(report);
    object["overrides"] = model::to_json(report.of_one);
    return object;
}

class QuotaRoutes {
  public:
    explicit QuotaRoutes(const QuotaServices& services) : s_(services) {}

    Task<http::Response> own(Call& call) {
        co_return ok(own_view(co_await s_.quotas.report(call.user().user)));
    }

    Task<http::Response> show(Call& call) {
        co_return ok(view(co_await s_.quotas.report(call.id<base::UserId>("id"))));
    }
    Task<http::Response> change(Call& call) {
        const auto user = call.id<base::UserId>("id");
        co_await s_.quotas.report(user);
        Body body(call.request);
        co_return ok(view(co_await s_.quotas.change(user, read_change(body))), "Quota updated");
    }

    Task<http::Response> show_of(Call& call) {
        const auto user = co_await s_.users.find(std::string(call.parameter("who")));
        co_return ok(view(co_await s_.quotas.report(user.id)));
    }
    Task<http::Response> change_of(Call& call) {
        const auto user = co_await s_.users.find(std::string(call.parameter("who")));
        Body body(call.request);
        co_return ok(view(co_await s_.quotas.change(user.id, read_change(body))), "Quota updated");
    }

  private:
    QuotaServices s_;
};

}  // namespace

void add_quota_routes(Router& router, const QuotaServices& services) {
    auto routes = std::make_shared<QuotaRoutes>(services);
    router.add("GET", "/api/workspaces/quota", Access::kUser,
               [routes](Call& call) { return routes->own(call); });
    router.add("GET", "/api/admin/users/:id/quota", Access::kAdmin,
               [routes](Call& call) { return routes->show(call); });
    router.add("PUT", "/api/admin/users/:id/quota", Access::kAdmin,
               [routes](Call& call) { return routes->change(call); });
}

void add_operator_quota_routes(Router& router, const QuotaServices& services) {
    auto routes = std::make_shared<QuotaRoutes>(services);
    router.add("GET", "/operator/users/:who/quota", Access::kPublic,
               [routes](Call& call) { return routes->show_of(call); });
    router.add("PUT", "/operator/users/:who/quota", Access::kPublic,
               [routes](Call& call) { return routes->change_of(call); });
}

}  // namespace agentdb9::api

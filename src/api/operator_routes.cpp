#include "api/operator_routes.hpp"

#include "api/body.hpp"
#include "api/envelope.hpp"
#include "api/views.hpp"
#include "services/survey.hpp"

namespace agentdb9::api {
namespace {

json::value or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object user_with_password(const services::NewUser& made) {
    json::object data{{"user", to_json(made.user)}};
    data["oneTimePassword"] = or_null(made.one_time_password.value_or(""));
    return data;
}

json::object volume_json(const services::SurveyedVolume& volume) {
    json::object row{{"volumeName", volume.name},
                     {"state", services::to_text(volume.state)},
                     {"kind", model::to_text(volume.kind)},
                     {"name", or_null(volume.owner_name)},
                     {"userId", volume.user_id ? json::value(volume.user_id->view()) : json::value(nullptr)},
                     {"userEmail", or_null(volume.user_email)},
                     {"onEngine", volume.on_engine ? json::value(*volume.on_engine) : json::value(nullptr)},
                     {"id", nullptr},
                     {"deletedAt", nullptr},
                     {"purgeAfter", nullptr}};
    if (volume.tombstone) {
        row["id"] = volume.tombstone->id.view();
        row["deletedAt"] = base::format_time(volume.tombstone->deleted_at);
        row["purgeAfter"] = base::format_time(volume.tombstone->purge_after);
    }
    return row;
}

json::object finding_json(const services::AdoptionFinding& finding) {
    return {{"kind", model::to_text(finding.kind)},
            {"name", finding.name},
            {"ownerId", finding.owner_id},
            {"ownerName", or_null(finding.owner_name)},
            {"userEmail", or_null(finding.user_email)},
            {"running", finding.running},
            {"adopted", finding.refusal.empty()},
            {"reason", or_null(finding.refusal)}};
}

bool flag_in_query(const Call& call, std::string_view name) {
    const auto value = call.query(name);
    if (!value) return false;
    if (*value != "true" && *value != "false")
        throw base::invalid_field(std::string(name), "must be true or false");
    return *value == "true";
}

class OperatorRoutes {
  public:
    explicit OperatorRoutes(OperatorServices services) : services_(std::move(services)) {}

    Task<http::Response> status(Call&) { co_return ok(services_.status()); }

    Task<http::Response> users(Call&) { co_return ok(to_json_array(co_await services_.users.list())); }

    Task<http::Response> add_user(Call& call) {
        Body body(call.request);
        const auto email = body.required_text("email", 1, 254);
        const auto username = body.optional_text("username", 1, 100);
        const auto role = body.optional_enum<model::Role>("role");
        const auto password = body.optional_secret("password");
        body.finish();
        co_return created(user_with_password(
            co_await services_.users.create(email, username.value_or(email.substr(0, email.find('@'))),
                                            password, role.value_or(model::Role::kUser))));
    }

    Task<http::Response> user(Call& call) {
        const auto facts = co_await services_.users.facts(who(call));
        auto data = to_json(facts.user);
        data["workspaces"] = facts.workspaces;
        data["projects"] = facts.projects;
        data["openSessions"] = facts.sessions;
        data["apiTokens"] = facts.api_tokens;
        co_return ok(std::move(data));
    }

    Task<http::Response> set_role(Call& call) {
        Body body(call.request);
        const auto role = body.required_enum<model::Role>("role");
        body.finish();
        const auto user = co_await services_.users.find(who(call));
        co_return ok(to_json(co_await services_.users.set_role(user.id, role)));
    }

    Task<http::Response> set_active(Call& call, bool active) {
        Body(call.request).finish();
        const auto user = co_await services_.users.find(who(call));
        co_return ok(to_json(co_await services_.users.set_active(user.id, active)));
    }
    Task<http::Response> disable(Call& call) { return set_active(call, false); }
    Task<http::Response> enable(Call& call) { return set_active(call, true); }

    Task<http::Response> reset_password(Call& call) {
        Body body(call.request);
        const auto password = body.optional_secret("password");
        body.finish();
        const auto user = co_await services_.users.find(who(call));
        co_return ok(user_with_password(co_await services_.users.reset_password(user.id, password)));
    }

    Task<http::Response> volumes(Call& call) {
        const bool all = flag_in_query(call, "all");
        const auto found = co_await services::survey(services_.store, services_.runtime);
        json::array rows;
        for (const auto& each : found.volumes) {
            if (all || each.state == services::SurveyedVolume::State::kInTrash)
                rows.emplace_back(volume_json(each));
        }
        co_return ok(json::object{{"volumes", std::move(rows)},
                                  {"engineAnswers", found.engine_answers},
                                  {"pausedBecause", co_await paused_because()}});
    }

    Task<http::Response> volume(Call& call) { co_return ok(to_json(co_await tombstone(call))); }

    Task<http::Response> restore(Call& call) {
        Body(call.request).finish();
        const auto found = co_await tombstone(call);
        co_return co_await restore_from_trash(services_.trash, std::nullopt, found.id);
    }

    Task<http::Response> purge(Call& call) {
        const auto found = co_await tombstone(call);
        co_return co_await purge_from_trash(services_.trash, std::nullopt, found.id);
    }

    // The heartbeat first: a command that cleans up while no server runs must see the gap since one last did.
    Task<http::Response> clean_up(Call& call) {
        Body(call.request).finish();
        const bool dry_run = is_dry_run(call);
        co_await services_.trash.volumes.heartbeat();
        co_return co_await clean_up_trash(services_.trash, dry_run);
    }

    // Likewise: or the gap that was just confirmed would pause purging once more.
    Task<http::Response> resume(Call& call) {
        Body(call.request).finish();
        co_await services_.trash.volumes.heartbeat();
        auto reason = co_await paused_because();
        co_await services_.trash.volumes.resume_purge();
        co_return ok(json::object{{"pausedBecause", std::move(reason)}});
    }

    Task<http::Response> adopt(Call& call) {
        Body(call.request).finish();
        const bool dry_run = is_dry_run(call);
        const auto findings =
            dry_run ? co_await services_.adoption.look() : co_await services_.adoption.adopt();
        json::array rows;
        for (const auto& finding : findings)
            rows.emplace_back(finding_json(finding));
        co_return ok(json::object{{"dryRun", dry_run}, {"findings", std::move(rows)}});
    }

  private:
    static std::string who(const Call& call) { return std::string(call.parameter("who")); }

    Task<model::Tombstone> tombstone(const Call& call) {
        return services_.trash.volumes.find_in_trash(std::string(call.parameter("id")));
    }

    Task<json::value> paused_because() {
        const auto reason = co_await services_.trash.volumes.purge_paused_because();
        co_return reason ? json::value(*reason) : json::value(nullptr);
    }

    OperatorServices services_;
};

}  // namespace

void add_operator_routes(Router& router, const OperatorServices& services) {
    auto routes = std::make_shared<OperatorRoutes>(services);
    const auto add = [&](std::string method, std::string path,
                         Task<http::Response> (OperatorRoutes::*handler)(Call&)) {
        router.add(std::move(method), "/operator" + std::move(path), Access::kPublic,
                   [routes, handler](Call& call) { return (*routes.*handler)(call); });
    };
    add("GET", "/status", &OperatorRoutes::status);
    add("GET", "/users", &OperatorRoutes::users);
    add("POST", "/users", &OperatorRoutes::add_user);
    add("GET", "/users/:who", &OperatorRoutes::user);
    add("POST", "/users/:who/role", &OperatorRoutes::set_role);
    add("POST", "/users/:who/disable", &OperatorRoutes::disable);
    add("POST", "/users/:who/enable", &OperatorRoutes::enable);
    add("POST", "/users/:who/reset-password", &OperatorRoutes::reset_password);
    add("GET", "/volumes", &OperatorRoutes::volumes);
    add("POST", "/volumes/cleanup", &OperatorRoutes::clean_up);
    add("POST", "/volumes/resume", &OperatorRoutes::resume);
    add("POST", "/adopt", &OperatorRoutes::adopt);
    add("GET", "/volumes/:id", &OperatorRoutes::volume);
    add("DELETE", "/volumes/:id", &OperatorRoutes::purge);
    add("POST", "/volumes/:id/restore", &OperatorRoutes::restore);
}

}  // namespace agentdb9::api

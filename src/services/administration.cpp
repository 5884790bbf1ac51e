#include "services/administration.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "store/administration.hpp"

namespace agentdb9::services {
namespace {

constexpr std::chrono::hours kCounted{24};
constexpr std::size_t kMostFailures = 20;
constexpr std::chrono::seconds kEnginePatience{2};

// Who is about to lock themselves out hears of it instead.
void refuse_own(const UserChange& change) {
    const bool demotes = change.role && *change.role != model::Role::kAdmin;
    const bool disables = change.active && !*change.active;
    if (demotes || disables)
        throw base::conflict("own_account",
                             "This is your own account: have another administrator take your role or disable "
                             "it, or use 'agentdb9 user' on the server.");
    if (change.password || change.reset_password)
        throw base::conflict("own_account",
                             "This is your own account: change its password by POST "
                             "/api/auth/change-password, which asks for the current one.");
}

Reserved reserved(const model::InstallationNumbers& numbers, const model::Catalogue& catalogue) {
    Reserved sum;
    for (const auto& each : numbers.running) {
        sum.workspaces += each.count;
        const auto* type = catalogue.find(each.type);
        if (type == nullptr) {
            sum.of_unknown_type += each.count;
            continue;
        }
        const auto limits = model::in_force(each.limits, type->resource_limits, type->maximum_limits);
        sum.cpus += limits.cpus * static_cast<double>(each.count);
        sum.memory_mb += limits.memory_mb * each.count;
    }
    return sum;
}

}  // namespace

AdministrationService::AdministrationService(base::Clock& clock, store::Store& store,
                                             UserAdministration& users, WorkspaceContainerService& containers,
                                             const model::Catalogue& catalogue, AskEngine ask_engine)
    : clock_(clock),
      store_(store),
      users_(users),
      containers_(containers),
      catalogue_(catalogue),
      ask_engine_(std::move(ask_engine)) {}

Task<store::Listing<model::UserSummary>> AdministrationService::users(model::UserFilter filter,
                                                                      store::Page page) {
    co_return co_await store_.read(
        [=](store::Transaction& tx) { return tx.administration().users(filter, page); });
}

Task<model::UserSummary> AdministrationService::user(base::UserId id) {
    auto found = co_await store_.read([id](store::Transaction& tx) { return tx.administration().user(id); });
    if (!found) throw base::not_found("user");
    co_return std::move(*found);
}

Task<ChangedUser> AdministrationService::create_user(std::string email, std::string username,
                                                     std::optional<std::string> password, model::Role role) {
    auto made = co_await users_.create(std::move(email), std::move(username), std::move(password), role);
    co_return ChangedUser{co_await user(made.user.id), std::move(made.one_time_password)};
}

Task<ChangedUser> AdministrationService::change_user(auth::Principal admin, base::UserId id,
                                                     UserChange change) {
    if (admin.user == id) refuse_own(change);
    std::optional<std::string> one_time;
    if (!change.empty()) {
        auto changed = co_await users_.update(id, {.role = change.role,
                                                   .active = change.active,
                                                   .password = std::move(change.password),
                                                   .reset_password = change.reset_password});
        one_time = std::move(changed.one_time_password);
    }
    co_return ChangedUser{co_await user(id), std::move(one_time)};
}

Task<store::Listing<model::WorkspaceSummary>> AdministrationService::workspaces(model::WorkspaceFilter filter,
                                                                                store::Page page) {
    co_return co_await store_.read(
        [=](store::Transaction& tx) { return tx.administration().workspaces(filter, page); });
}

Task<model::WorkspaceSummary> AdministrationService::workspace(base::WorkspaceId id) {
    auto found = co_await store_.read([id](store::Transaction& tx) {
        std::optional<model::WorkspaceSummary> summary;
        if (auto row = tx.workspaces().find(id)) {
            const auto owner = tx.users().find(row->user_id);
            summary.emplace(std::move(*row), owner ? std::optional(owner->email) : std::nullopt);
        }
        return summary;
    });
    if (!found) throw base::not_found("workspace");
    co_return std::move(*found);
}

Task<Requested> AdministrationService::stop_workspace(base::WorkspaceId id, RequestOptions options) {
    const auto found = co_await workspace(id);
    options.cause =
        RequestOptions::Cause{model::LifeEventKind::kStopRequested, "An administrator asked for a stop."};
    co_return co_await containers_.stop_workspace(found.workspace.user_id, id, std::move(options));
}

Task<Overview> AdministrationService::overview() {
    Overview overview;
    overview.since = clock_.now() - kCounted;
    overview.numbers = co_await store_.read([since = overview.since](store::Transaction& tx) {
        return tx.administration().numbers(since, kMostFailures);
    });
    overview.reserved = reserved(overview.numbers, catalogue_);
    co_await look_at_engine(overview);
    co_return overview;
}

Task<> AdministrationService::look_at_engine(Overview& overview) {
    try {
        overview.engine = co_await base::with_timeout(clock_, kEnginePatience, ask_engine_());
        if (!overview.engine) overview.engine_problem = "The container engine does not answer in time.";
    } catch (const base::Error& error) {
        log::debug("the engine tells nothing about itself", {{"reason", error.what()}});
        overview.engine_problem = error.message();
    }
}

}  // namespace agentdb9::services

#include "api/cleaning_routes.hpp"

#include "api/body.hpp"
#include "api/envelope.hpp"
#include "api/trash_routes.hpp"
#include "base/time.hpp"

namespace agentdb9::api {
namespace {

using model::CleaningItem;
using model::CleaningOutcome;
using model::Duty;
using services::CleaningService;

json::value or_null(const std::optional<base::Time>& time) {
    return time ? json::value(base::format_time(*time)) : json::value(nullptr);
}

json::value or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object item_json(const CleaningItem& item) {
    return {{"kind", item.kind},
            {"name", item.name},
            {"outcome", model::to_text(item.outcome)},
            {"why", item.why},
            {"since", or_null(item.since)}};
}

json::object report_json(const model::DutyReport& report) {
    json::array items;
    for (const auto& item : report.items)
        items.emplace_back(item_json(item));
    return {{"duty", model::to_text(report.duty)},
            {"about", model::about(report.duty)},
            {"items", std::move(items)},
            {"problem", or_null(report.problem)}};
}

// As clients have always read it: the volumes alone.
json::array volumes_of(const services::CleaningReport& report) {
    json::array names;
    for (const auto& duty : report.duties) {
        if (duty.duty != Duty::kVolumes) continue;
        for (const auto& item : duty.items) {
            if (item.outcome == CleaningOutcome::kDone || report.dry_run) names.emplace_back(item.name);
        }
    }
    return names;
}

Task<http::Response> clean_up(CleaningService& cleaning, bool dry_run, std::string by) {
    const auto report = co_await cleaning.clean(dry_run, std::move(by));
    json::array duties;
    for (const auto& each : report.duties)
        duties.emplace_back(report_json(each));
    json::object data{{"dryRun", dry_run},
                      {"pausedBecause", or_null(report.paused_because.value_or(""))},
                      {"volumes", volumes_of(report)},
                      {"duties", std::move(duties)}};
    co_return ok(std::move(data),
                 report.paused_because
                     ? "Purging is paused: 'agentdb9 volumes resume' ends that once an admin has checked "
                       "that this database is the right one"
                     : std::string_view());
}

json::object run_json(const services::DutyRun& run) {
    json::array failed;
    for (const auto& item : run.failed)
        failed.emplace_back(item_json(item));
    return {{"startedAt", base::format_time(run.started_at)},
            {"finishedAt", or_null(run.finished_at)},
            {"by", run.by},
            {"done", run.done},
            {"kept", run.kept},
            {"failed", std::move(failed)},
            {"problem", or_null(run.problem)}};
}

json::object state_json(const services::DutyState& state) {
    return {{"duty", model::to_text(state.duty)},
            {"about", model::about(state.duty)},
            {"on", state.on},
            {"everyMinutes", state.every.count()},
            {"running", state.running},
            {"lastRun", state.last ? json::value(run_json(*state.last)) : json::value(nullptr)},
            {"nextRunAt", or_null(state.next_at)}};
}

json::object image_json(const services::ImageState& image) {
    return {{"image", image.image},
            {"types", json::value_from(image.types)},
            {"onEngine", image.on_engine ? json::value(*image.on_engine) : json::value(nullptr)},
            {"pulling", image.pulling},
            {"percent", image.percent ? json::value(*image.percent) : json::value(nullptr)},
            {"problem", or_null(image.problem)},
            {"pulledAt", or_null(image.pulled_at)},
            {"unnamedSince", or_null(image.unnamed_since)}};
}

Task<http::Response> show(CleaningService& cleaning, services::DockerVolumeService& volumes) {
    json::array duties;
    for (const auto& each : co_await cleaning.states())
        duties.emplace_back(state_json(each));
    json::array images;
    for (const auto& each : co_await cleaning.images())
        images.emplace_back(image_json(each));
    const auto& settings = cleaning.settings();
    json::object data{{"pausedBecause", or_null((co_await volumes.purge_paused_because()).value_or(""))},
                      {"duties", std::move(duties)},
                      {"images", std::move(images)},
                      {"failedAfterHours", settings.failed_after.count()},
                      {"inactiveDays", settings.inactive_after.count()},
                      {"imageDays", settings.image_after.count()}};
    co_return ok(std::move(data));
}

}  // namespace

void add_cleaning_routes(Router& router, CleaningService& cleaning, services::DockerVolumeService& volumes) {
    router.add("POST", "/api/workspaces/cleanup", Access::kAdmin,
               [&cleaning](Call& call) -> Task<http::Response> {
                   Body(call.request).finish();
                   co_return co_await clean_up(cleaning, is_dry_run(call), "admin");
               });
    router.add("GET", "/api/admin/cleaning", Access::kAdmin,
               [&cleaning, &volumes](Call&) { return show(cleaning, volumes); });
}

// The heartbeat first: a command that cleans up while no server runs must see the gap since one last did.
void add_operator_cleaning_routes(Router& router, CleaningService& cleaning,
                                  services::DockerVolumeService& volumes) {
    router.add("POST", "/operator/cleanup", Access::kPublic,
               [&cleaning, &volumes](Call& call) -> Task<http::Response> {
                   Body(call.request).finish();
                   const bool dry_run = is_dry_run(call);
                   co_await volumes.heartbeat();
                   co_return co_await clean_up(cleaning, dry_run, "operator");
               });
    router.add("GET", "/operator/cleaning", Access::kPublic,
               [&cleaning, &volumes](Call&) { return show(cleaning, volumes); });
}

}  // namespace agentdb9::api

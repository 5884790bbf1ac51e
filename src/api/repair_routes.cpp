#include "api/repair_routes.hpp"

#include "api/body.hpp"
#include "api/envelope.hpp"
#include "api/trash_routes.hpp"
#include "services/recreation.hpp"

namespace agentdb9::api {
namespace {

json::object to_json(const services::Discrepancy& discrepancy) {
    return {{"kind", services::to_text(discrepancy.kind)},
            {"subject", discrepancy.subject},
            {"what", discrepancy.what},
            {"remedy", discrepancy.remedy},
            {"repairable", discrepancy.repairable},
            {"repaired", discrepancy.repaired}};
}

Task<http::Response> repair(RepairServices services, bool dry_run) {
    services::Repair repair(services.clock, services.store, services.runtime, services.volumes,
                            services.changed);
    json::array told;
    for (const auto& each : dry_run ? co_await repair.find() : co_await repair.carry_out())
        told.emplace_back(to_json(each));
    co_return ok(json::object{{"dryRun", dry_run}, {"discrepancies", std::move(told)}});
}

}  // namespace

void add_repair_routes(Router& router, const RepairServices& services) {
    router.add("POST", "/operator/repair", Access::kPublic, [services](Call& call) {
        Body(call.request).finish();
        return repair(services, is_dry_run(call));
    });
    router.add("POST", "/operator/volumes/:name/recreate", Access::kPublic,
               [services](Call& call) -> Task<http::Response> {
                   Body(call.request).finish();
                   const auto volume = co_await services::recreate_project_volume(
                       services.store, services.runtime, services.clock, std::string(call.parameter("name")));
                   co_return ok(json::object{{"volumeName", volume.name}}, "An empty volume was made");
               });
}

}  // namespace agentdb9::api

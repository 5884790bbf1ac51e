#include <iostream>

#include "cli/commands.hpp"
#include "cli/doctor_mending.hpp"

namespace agentdb9::cli {
namespace {

bool flag_in(const json::object& object, std::string_view key) {
    return object.at(key).as_bool();
}

std::string_view mark_of(const json::object& each, bool confirmed) {
    if (!flag_in(each, "repairable")) return "yours     ";
    if (!confirmed) return "would     ";
    return flag_in(each, "repaired") ? "repaired  " : "failed    ";
}

}  // namespace

int repair(const Context& context, bool confirmed) {
    auto client = open_operator(context);
    const auto data = client.call("POST", confirmed ? "/repair" : "/repair?dryRun=true").data;
    const auto& all = data.at("discrepancies").as_array();
    std::size_t repairable = 0;
    std::size_t failed = 0;
    for (const auto& each : all) {
        if (!flag_in(each.as_object(), "repairable")) continue;
        ++repairable;
        failed += flag_in(each.as_object(), "repaired") ? 0U : 1U;
    }
    if (context.json) {
        std::cout << base::to_text(data) << "\n";
    } else {
        for (const auto& value : all) {
            const auto& each = value.as_object();
            std::cout << mark_of(each, confirmed) << std::string_view(each.at("what").as_string()) << "\n"
                      << "          → " << std::string_view(each.at("remedy").as_string()) << "\n";
        }
        if (all.empty()) {
            std::cout << "The database and the engine agree; there is nothing to repair.\n";
        } else if (!confirmed && repairable > 0) {
            std::cout
                << "\nNothing was changed. Make a backup of the database, then: agentdb9 doctor --repair "
                   "--yes\n";
        }
    }
    return confirmed && failed > 0 ? kExitFailed : kExitOk;
}

}  // namespace agentdb9::cli

// user quota: what one user may have.
#include <CLI/CLI.hpp>
#include <iostream>
#include <sstream>

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "cli/user_quota.hpp"
#include "runtime/docker/engine_client.hpp"

namespace agentdb9::cli {
namespace {

// By the fields of the API: a number, or "default".
using Wanted = std::vector<std::pair<std::string, std::string>>;

std::string problem_with(const std::string& text) {
    if (text == "default") return {};
    const bool number = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos &&
                        std::ranges::count(text, '.') <= 1 && text != ".";
    return number ? std::string() : "must be a number, 0 for no limit, or 'default'";
}

json::value value_of(const std::string& text) {
    if (text == "default") return nullptr;
    if (!text.contains('.') && text.size() <= 18) return std::stoll(text);
    return std::stod(text);
}

std::string cell(const json::value& object, const char* name, const char* absent) {
    const auto& value = object.as_object().at(name);
    if (!value.is_number()) return absent;
    std::ostringstream text;
    text.precision(12);
    text << value.to_number<double>();
    return text.str();
}

void run(OperatorClient client, const std::string& who, const Wanted& wanted, bool as_json) {
    const auto target = "/users/" + runtime::docker::percent_encode(who) + "/quota";
    json::object body;
    for (const auto& [name, text] : wanted) {
        if (!text.empty()) body[name] = value_of(text);
    }
    const auto data = body.empty() ? client.call("GET", target).data : client.call("PUT", target, body).data;
    if (as_json) {
        std::cout << base::to_text(data) << "\n";
        return;
    }
    constexpr std::pair<const char*, const char*> kRows[] = {{"workspaces", "workspaces"},
                                                             {"running", "running"},
                                                             {"cpus", "cpus of running"},
                                                             {"memory", "memory of running (MB)"},
                                                             {"volumeBytes", "volumes (bytes)"}};
    Table table({"WHAT", "IN USE", "AT MOST", "SET FOR THIS USER"});
    for (const auto& [name, title] : kRows) {
        const auto set = cell(data.at("overrides"), name, "-");
        table.add({title, cell(data.at("used"), name, "not measured"),
                   cell(data.at("limits"), name, "no limit"), set == "0" ? "no limit" : set});
    }
    std::cout << table.text();
}

}  // namespace

void add_user_quota(CLI::App& user, Context& context) {
    auto who = std::make_shared<std::string>();
    auto wanted = std::make_shared<Wanted>(
        Wanted{{"workspaces", ""}, {"running", ""}, {"cpus", ""}, {"memory", ""}, {"volumeBytes", ""}});
    auto* command = user.add_subcommand("quota", "Show or set how much a user may have");
    command->footer(
        "Without an option it shows it. A number goes over the configuration's [quotas], 0 is no limit, and "
        "'default' is as for all. What runs goes on, also above a new limit.\n\nExamples:\n"
        "  agentdb9 user quota ada@example.org\n"
        "  agentdb9 user quota ada@example.org --workspaces 20 --running 3 --memory 8192\n"
        "  agentdb9 user quota ada@example.org --running default");
    command->add_option("WHO", *who, "Email address or id")
        ->required()
        ->type_name("")
        ->check([](const std::string& text) { return text.empty() ? "must not be empty" : ""; });
    constexpr std::pair<const char*, const char*> kOptions[] = {
        {"--workspaces", "Workspaces"},
        {"--running", "Workspaces that run at once"},
        {"--cpus", "Processors of those, by their limits, all together"},
        {"--memory", "Memory of those in MB, by their limits, all together"},
        {"--volume-bytes", "Bytes in volumes"}};
    for (std::size_t i = 0; i < wanted->size(); ++i) {
        command->add_option(kOptions[i].first, (*wanted)[i].second, kOptions[i].second)
            ->type_name("N")
            ->check(problem_with);
    }
    add_operator_options(*command, context);
    command->callback([&context, who, wanted] { run(open_operator(context), *who, *wanted, context.json); });
}

}  // namespace agentdb9::cli

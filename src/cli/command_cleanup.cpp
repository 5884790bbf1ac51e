#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"

namespace agentdb9::cli {
namespace {

// Each thing in a line of its own, with the reason.
std::string report_text(const json::object& data) {
    Table table({"DUTY", "OUTCOME", "WHAT", "NAME", "SINCE (UTC)", "WHY"});
    for (const auto& each : data.at("duties").as_array()) {
        const auto& duty = each.as_object();
        const auto name = or_dash(duty.at("duty"));
        for (const auto& entry : duty.at("items").as_array()) {
            const auto& item = entry.as_object();
            table.add({name, or_dash(item.at("outcome")), or_dash(item.at("kind")), or_dash(item.at("name")),
                       short_time(item.at("since")), or_dash(item.at("why"))});
        }
    }
    return table.empty() ? "There is nothing to put away.\n" : table.text();
}

// False when something was not done that was to be.
bool tell_problems(const json::object& data) {
    bool well = true;
    for (const auto& each : data.at("duties").as_array()) {
        const auto& duty = each.as_object();
        if (duty.at("problem").is_string()) {
            well = false;
            std::cerr << "agentdb9: " << or_dash(duty.at("duty")) << ": " << or_dash(duty.at("problem"))
                      << "\n";
        }
        for (const auto& entry : duty.at("items").as_array())
            well = well && entry.at("outcome").as_string() != "failed";
    }
    if (data.at("pausedBecause").is_string()) {
        std::cerr << "Purging is paused: " << or_dash(data.at("pausedBecause"))
                  << ". When you have checked that this database is the right one, and no old copy of it: "
                     "'agentdb9 volumes resume'.\n";
        well = well && data.at("dryRun").as_bool();
    }
    return well;
}

std::string state_text(const json::object& data) {
    Table table({"DUTY", "EVERY", "LAST RUN (UTC)", "BY", "DONE", "KEPT", "FAILED", "NEXT RUN (UTC)"});
    for (const auto& each : data.at("duties").as_array()) {
        const auto& duty = each.as_object();
        const auto minutes = duty.at("everyMinutes").to_number<std::int64_t>();
        const bool on = duty.at("on").as_bool();
        const std::string every = !on            ? "off"
                                  : minutes == 0 ? "when asked"
                                                 : std::to_string(minutes) + " min";
        if (!duty.at("lastRun").is_object()) {
            table.add(
                {or_dash(duty.at("duty")), every, "-", "-", "-", "-", "-", short_time(duty.at("nextRunAt"))});
            continue;
        }
        const auto& run = duty.at("lastRun").as_object();
        const auto number = [&](const char* name) {
            return std::to_string(run.at(name).to_number<std::int64_t>());
        };
        table.add({or_dash(duty.at("duty")), every, short_time(run.at("startedAt")), or_dash(run.at("by")),
                   number("done"), number("kept"), std::to_string(run.at("failed").as_array().size()),
                   short_time(duty.at("nextRunAt"))});
    }
    Table images({"IMAGE", "TYPES", "STATE"});
    for (const auto& each : data.at("images").as_array()) {
        const auto& image = each.as_object();
        std::string types;
        for (const auto& type : image.at("types").as_array())
            types += (types.empty() ? "" : ", ") + or_dash(type);
        std::string state = !image.at("onEngine").is_bool()   ? "not known: the engine does not answer"
                            : image.at("onEngine").get_bool() ? "there"
                                                              : "missing";
        if (image.at("pulling").as_bool())
            state =
                "being pulled" + (image.at("percent").is_null()
                                      ? std::string()
                                      : ", " + std::to_string(image.at("percent").to_number<int>()) + " %");
        if (image.at("problem").is_string()) state += ": " + or_dash(image.at("problem"));
        images.add({or_dash(image.at("image")), types.empty() ? "none" : types, state});
    }
    return table.text() + "\n" + images.text();
}

int clean_up(OperatorClient client, bool dry_run, bool as_json) {
    const auto data = client.call("POST", dry_run ? "/cleanup?dryRun=true" : "/cleanup").data.as_object();
    std::cout << (as_json ? base::to_text(data) + "\n" : report_text(data));
    return tell_problems(data) ? kExitOk : kExitFailed;
}

int show(OperatorClient client, bool as_json) {
    const auto data = client.call("GET", "/cleaning").data.as_object();
    std::cout << (as_json ? base::to_text(data) + "\n" : state_text(data));
    return kExitOk;
}

}  // namespace

void add_cleanup(CLI::App& program, Context& context, int& code) {
    auto* command =
        program.add_subcommand("cleanup", "Put away what nobody needs any more, or say what that is");
    auto dry_run = std::make_shared<bool>(false);
    auto status = std::make_shared<bool>(false);
    auto* dry = command->add_flag("--dry-run", *dry_run, "Only say what would be done, and why");
    command->add_flag("--status", *status, "What is done when, what came of it last, and the images")
        ->excludes(dry);
    command->footer(
        "A running server does this by itself ([cleaning] in the configuration). Volumes go only when their "
        "time in the trash is over, containers only when this database knows that their workspace was "
        "deleted or their start failed.\n\nExamples:\n"
        "  agentdb9 cleanup --dry-run\n"
        "  agentdb9 cleanup --status");
    add_operator_options(*command, context);
    command->callback([&context, &code, dry_run, status] {
        code = *status ? show(open_operator(context), context.json)
                       : clean_up(open_operator(context), *dry_run, context.json);
    });
}

}  // namespace agentdb9::cli

#include <boost/asio/io_context.hpp>
#include <iostream>

#include "auth/passwords.hpp"
#include "base/crypto.hpp"
#include "cli/core.hpp"
#include "cli/doctor_mending.hpp"
#include "cli/logs.hpp"
#include "services/rebuild.hpp"

namespace agentdb9::cli {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kOneTimePasswordBytes = 15;  // 20 characters

template <class T>
T run_to_end(asio::io_context& io, Task<T> task) {
    std::optional<T> result;
    asio::co_spawn(io, std::move(task), [&result](std::exception_ptr failure, T value) {
        if (failure) std::rethrow_exception(failure);
        result.emplace(std::move(value));
    });
    io.restart();
    io.run();
    return std::move(result.value());
}

std::string counted(std::size_t count, const std::string& what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

base::InstallationId choose(const std::map<base::InstallationId, runtime::docker::InstallationFacts>& found,
                            const std::optional<std::string>& wanted) {
    if (wanted) {
        const auto id = base::InstallationId::parse(*wanted);
        if (!id)
            throw Error(ErrorCode::kInvalid, "invalid_field",
                        "--installation must be the id of an installation.");
        if (found.contains(*id)) return *id;
        throw Error(ErrorCode::kNotFound, "installation_not_found",
                    "The engine has nothing of the installation " + *wanted + ".");
    }
    if (found.empty()) {
        throw Error(ErrorCode::kNotFound, "installation_not_found",
                    "The engine has neither volumes nor containers of any installation; there is nothing to "
                    "rebuild from.");
    }
    if (found.size() == 1) return found.begin()->first;
    std::string text = "The engine has objects of several installations; choose one with --installation:";
    for (const auto& [id, facts] : found) {
        text += "\n  " + id.str() + "  " + counted(facts.volumes, "volume") + ", " +
                counted(facts.containers, "container");
    }
    throw Error(ErrorCode::kConflict, "installation_ambiguous", text);
}

std::optional<base::UserId> owner_in(store::Store& store, const std::optional<std::string>& email) {
    if (!email) return std::nullopt;
    std::optional<model::User> user;
    store.transact(store::Mode::kRead,
                   [&](store::Transaction& tx) { user = tx.users().find_by_email(*email); });
    if (user) return user->id;
    throw Error(
        ErrorCode::kNotFound, "user_not_found",
        "No user has the address " + *email + "; make the account first: agentdb9 user add " + *email);
}

bool has_admin(store::Store& store) {
    bool there = false;
    store.transact(store::Mode::kRead,
                   [&](store::Transaction& tx) { there = tx.users().count_admins() > 0; });
    return there;
}

json::object to_json(const services::Rebuilt& rebuilt, const base::InstallationId& installation,
                     const std::map<base::UserId, std::string>& passwords, bool written) {
    json::array users;
    for (const auto& each : rebuilt.users) {
        const auto password = passwords.find(each.id);
        users.push_back({{"id", each.id.view()},
                         {"email", each.email},
                         {"oneTimePassword", password == passwords.end() ? json::value(nullptr)
                                                                         : json::value(password->second)}});
    }
    json::array projects;
    for (const auto& each : rebuilt.projects) {
        projects.push_back({{"id", each.id.view()},
                            {"name", each.name},
                            {"userId", each.user_id.view()},
                            {"volumeName", each.volume_name.value_or("")}});
    }
    json::array workspaces;
    for (const auto& each : rebuilt.workspaces) {
        workspaces.push_back({{"id", each.id.view()},
                              {"name", each.name},
                              {"type", each.type},
                              {"userId", each.user_id.view()},
                              {"desiredState", model::to_text(each.desired_state)}});
    }
    json::array notes;
    for (const auto& each : rebuilt.notes)
        notes.emplace_back(each);
    return {{"dryRun", !written},
            {"installation", installation.view()},
            {"users", std::move(users)},
            {"projects", std::move(projects)},
            {"workspaces", std::move(workspaces)},
            {"notes", std::move(notes)}};
}

void print(const services::Rebuilt& rebuilt, const base::InstallationId& installation,
           const std::map<base::UserId, std::string>& passwords, bool written) {
    std::cout << (written ? "Rebuilt" : "Would rebuild") << " the installation " << installation.view()
              << ": " << counted(rebuilt.projects.size(), "project") << ", "
              << counted(rebuilt.workspaces.size(), "workspace") << ", "
              << counted(rebuilt.users.size(), "placeholder account") << ".\n";
    for (const auto& each : rebuilt.projects)
        std::cout << "  project    " << each.name << "  " << each.volume_name.value_or("") << "\n";
    for (const auto& each : rebuilt.workspaces)
        std::cout << "  workspace  " << each.name << "  " << each.id.view() << "  "
                  << model::to_text(each.desired_state) << "\n";
    for (const auto& each : rebuilt.users) {
        const auto password = passwords.find(each.id);
        std::cout << "  account    " << each.email
                  << (password == passwords.end() ? std::string() : "  " + password->second) << "\n";
    }
    for (const auto& each : rebuilt.notes)
        std::cout << "note: " << each << "\n";
    if (!written) {
        std::cout << "\nNothing was changed. To do it: the same command with --yes\n";
    } else if (!rebuilt.users.empty()) {
        std::cout
            << "\nThe accounts are disabled, and their passwords are shown only now. When you know whose "
               "one is: agentdb9 user enable EMAIL\n";
    }
}

}  // namespace

int rebuild(const Context& context, const RebuildOptions& options) {
    const auto loaded = context.load();
    const auto& configuration = loaded.configuration;
    configure_command_logs(configuration);
    prepare_data_directory(configuration.data_dir);
    const auto store = open_migrated_store(configuration);
    const auto owner = owner_in(*store, options.owner);
    const model::Catalogue catalogue(configuration.workspace_types);
    asio::io_context io{1};
    base::SystemClock clock;
    const auto docker = docker_options(configuration.docker);
    runtime::docker::DockerRuntime engine(io.get_executor(), clock, base::InstallationId::generate(), docker);
    const auto installation = choose(run_to_end(io, engine.installations()), options.installation);
    runtime::docker::DockerRuntime runtime(io.get_executor(), clock, installation, docker);
    auto rebuilt = run_to_end(io, services::plan_rebuild(*store, runtime, catalogue, clock, owner));
    if (!has_admin(*store)) {
        rebuilt.notes.emplace_back(
            "No active admin is in this database: agentdb9 user add EMAIL --admin makes one.");
    }
    std::map<base::UserId, std::string> passwords;
    if (options.confirmed) {
        std::map<base::UserId, std::string> hashes;
        for (const auto& each : rebuilt.users) {
            passwords[each.id] = base::random_token(kOneTimePasswordBytes);
            hashes[each.id] = auth::hash_password(passwords[each.id], auth::PasswordCost());
        }
        asio::co_spawn(io,
                       services::write_rebuilt(
                           *store, rebuilt, std::move(hashes),
                           [installation](store::Transaction& tx) { adopt_installation(tx, installation); }),
                       [](std::exception_ptr failure) {
                           if (failure) std::rethrow_exception(failure);
                       });
        io.restart();
        io.run();
    }
    if (context.json) {
        std::cout << base::to_text(to_json(rebuilt, installation, passwords, options.confirmed)) << "\n";
    } else {
        print(rebuilt, installation, passwords, options.confirmed);
    }
    return kExitOk;
}

}  // namespace agentdb9::cli

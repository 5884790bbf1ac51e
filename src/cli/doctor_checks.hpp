// The single checks of `agentdb9 doctor`, by what they look at. Inside of cli/ only.
#pragma once

#include <memory>

#include "base/async.hpp"
#include "cli/doctor.hpp"
#include "runtime/docker/docker_runtime.hpp"
#include "store/store.hpp"

namespace agentdb9::cli {

// On this host: doctor_host.cpp.
void check_data_directory(const config::Configuration& configuration, Findings& findings);
void check_secrets(const config::Loaded& loaded, Findings& findings);
// `place`: what of ours lies on that file system.
void check_disk(const std::string& place, const std::filesystem::path& path, Findings& findings);
void check_memory(const config::Configuration& configuration, Findings& findings);

// The server, or the ports that it would take: doctor_server.cpp.
void check_server(const config::Configuration& configuration, Findings& findings);

// doctor_database.cpp. Returns the store when the other checks can read it.
std::unique_ptr<store::Store> check_database(const config::Configuration& configuration, Findings& findings);
Task<> check_purging(store::Store& store, runtime::Runtime& runtime, base::Clock& clock, Findings& findings);
// Rows that contradict one another, leases and purges that were left.
Task<> check_states(store::Store& store, runtime::Runtime& runtime, base::Clock& clock, Findings& findings);
// What the engine has that the database does not know of, and the other way round.
Task<> check_leftovers(store::Store& store, runtime::Runtime& runtime, Findings& findings);

// doctor_engine.cpp. Whether the engine answers.
Task<bool> check_engine(const config::Configuration& configuration, runtime::docker::DockerRuntime& runtime,
                        base::Clock& clock, Findings& findings);
Task<> check_images(const config::Configuration& configuration, runtime::docker::DockerRuntime& runtime,
                    base::Clock& clock, Findings& findings);

std::string size_text(std::uint64_t bytes);

}  // namespace agentdb9::cli

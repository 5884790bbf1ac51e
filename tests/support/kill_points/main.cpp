// `agentdb9` as it is shipped, with kill points between its services and what they work with.
#include <cstdlib>
#include <iostream>

#include "cli/command_line.hpp"
#include "support/kill_points/killable_runtime.hpp"
#include "support/kill_points/killable_store.hpp"
#include "support/kill_points/killable_volume_files.hpp"

int main(int argc, char** argv) {
    using namespace agentdb9;
    const char* directory = std::getenv("KILL_POINTS");
    if (directory == nullptr) {
        std::cerr << "agentdb9_killable: KILL_POINTS names no directory for its orders\n";
        return 2;
    }
    testing::KillPoints points(directory);
    cli::Seams seams;
    seams.store = [&points](std::unique_ptr<store::Store> store) {
        return std::make_unique<testing::KillableStore>(std::move(store), points);
    };
    seams.runtime = [&points](runtime::Runtime& runtime) {
        return std::make_unique<testing::KillableRuntime>(runtime, points);
    };
    seams.volume_files = [&points](runtime::VolumeFiles& volumes) {
        return std::make_unique<testing::KillableVolumeFiles>(volumes, points);
    };
    return cli::run(argc, argv, std::move(seams));
}

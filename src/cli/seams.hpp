// What may stand between the services and what they work with: the store, the runtime, the volumes' files.
// Nothing does in the program that is shipped; the one that the tests kill (tests/support/kill_points) puts
// something there. Copied freely; called once, on the main thread.
#pragma once

#include <functional>
#include <memory>

#include "runtime/runtime.hpp"
#include "runtime/volume_files.hpp"
#include "store/store.hpp"

namespace agentdb9::cli {

struct Seams {
    // Takes the store and answers what the services get in its place.
    std::function<std::unique_ptr<store::Store>(std::unique_ptr<store::Store>)> store;
    // What these are given outlives what they answer.
    std::function<std::unique_ptr<runtime::Runtime>(runtime::Runtime&)> runtime;
    std::function<std::unique_ptr<runtime::VolumeFiles>(runtime::VolumeFiles&)> volume_files;
};

}  // namespace agentdb9::cli

// What may stand between the services and the two things that they work with, the store and the runtime.
// Nothing does in the program that is shipped; the one that the tests kill (tests/support/kill_points) puts
// something there. Copied freely; called once, on the main thread.
#pragma once

#include <functional>
#include <memory>

#include "runtime/runtime.hpp"
#include "store/store.hpp"

namespace agentdb9::cli {

struct Seams {
    // Takes the store and answers what the services get in its place.
    std::function<std::unique_ptr<store::Store>(std::unique_ptr<store::Store>)> store;
    // The runtime outlives what is answered.
    std::function<std::unique_ptr<runtime::Runtime>(runtime::Runtime&)> runtime;
};

}  // namespace agentdb9::cli

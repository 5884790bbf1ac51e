// The way out where a project's volume is lost and no backup brings it back: an operator says that it may
// begin anew with an empty one. Nothing does that by itself. Control executor.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "runtime/runtime.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

// kNotFound "volume_not_found" when no project has a volume of that name; kConflict "volume_exists" when it
// is not lost.
Task<runtime::Volume> recreate_project_volume(store::Store& store, runtime::Runtime& runtime,
                                              base::Clock& clock, std::string name);

}  // namespace agentdb9::services

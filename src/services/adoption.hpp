// Taking over what an earlier AgentDB9 left on the engine of a database that was migrated in place: its
// volumes, which hold the projects' files, and its containers. An operator's explicit step; nothing is made
// anew, nothing removed. Control executor.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "runtime/adoption.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

// Told to the other servers on the database.
inline constexpr std::string_view kAdoptionNotice = "adoption";

// What the database knows to be adopted.
runtime::Adopted adopted_in(store::Transaction& tx);

// One thing that was found, and what is to become of it.
struct AdoptionFinding {
    model::AdoptionKind kind = model::AdoptionKind::kVolume;
    std::string runtime_id;
    std::string name;        // on the engine
    std::string owner_id;    // the project's or workspace's
    std::string owner_name;  // empty when the database does not have it
    std::string user_email;
    std::string refusal;  // why it is left alone; empty: it is adopted
    bool running = false;
    std::optional<base::ProjectId> project_id;  // that an instance has
};

// What speaks for and against each of them, by this database. A later one may lean on an earlier one: an
// instance on its project's volume.
std::vector<AdoptionFinding> judge_strays(store::Transaction& tx, const runtime::Strays& strays);

class AdoptionService {
  public:
    // `adopted`: called for each workspace whose instance was adopted.
    AdoptionService(base::Clock& clock, store::Store& store, runtime::Adoption& runtime,
                    std::function<void(const base::WorkspaceId&)> adopted)
        : clock_(clock), store_(store), runtime_(runtime), adopted_(std::move(adopted)) {}

    // Tells the runtime what was adopted: when another server on the database adopted something.
    Task<> load();
    // What adopt() would do. Throws what the runtime throws.
    Task<std::vector<AdoptionFinding>> look();
    // Takes over what can be, and says what became of everything. A workspace whose container runs goes on
    // running. Again after a failure: goes on where it stood.
    Task<std::vector<AdoptionFinding>> adopt();

  private:
    base::Clock& clock_;
    store::Store& store_;
    runtime::Adoption& runtime_;
    std::function<void(const base::WorkspaceId&)> adopted_;
};

}  // namespace agentdb9::services

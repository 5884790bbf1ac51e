// The images of the workspace types: pulled before anybody waits for them, and removed again when no type
// names them any more. Only what this pulled itself is ever removed; what that is stands in the database.
// Control executor.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "model/cleaning.hpp"
#include "model/workspace_type.hpp"
#include "runtime/runtime.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

struct ImageState {
    std::string image;
    std::vector<std::string> types;           // that name it; none: it is to go
    std::optional<bool> on_engine;            // absent: the engine does not answer
    bool pulling = false;                     // by this server, just now
    std::optional<int> percent;               // of that, where it can be told
    std::string problem;                      // why this server could not pull it, the last time; else empty
    std::optional<base::Time> pulled_at;      // by us
    std::optional<base::Time> unnamed_since;  // no type has named it since
};

class ImageKeeper {
  public:
    // All outlive this.
    ImageKeeper(base::Clock& clock, store::Store& store, runtime::Runtime& runtime,
                const model::Catalogue& catalogue, const model::CleaningSettings& settings)
        : clock_(clock), store_(store), runtime_(runtime), catalogue_(catalogue), settings_(settings) {}

    // Pulls what is missing, one after the other; with `dry_run` says which these are.
    Task<std::vector<model::CleaningItem>> prefetch(bool dry_run);
    Task<std::vector<model::CleaningItem>> prune(bool dry_run);
    Task<std::vector<ImageState>> states();

  private:
    struct Pulled {
        std::string image;
        std::string id;  // what the name led to then; another by now: somebody else's
        base::Time at;
        std::optional<base::Time> unnamed_since;
    };
    static std::vector<Pulled> read(store::Transaction& tx);
    static void write(store::Transaction& tx, const std::vector<Pulled>& all);
    std::map<std::string, std::vector<std::string>> wanted() const;  // image → types
    Task<model::CleaningItem> pull(std::string image);
    Task<> note_pulled(std::string image, std::string id);
    Task<> forget(std::string image, std::string id);
    // What no type names, with since when; noted where it is new.
    Task<std::vector<Pulled>> unnamed(bool dry_run);
    Task<std::optional<model::CleaningItem>> prune_one(Pulled image, bool dry_run);

    base::Clock& clock_;
    store::Store& store_;
    runtime::Runtime& runtime_;
    const model::Catalogue& catalogue_;
    const model::CleaningSettings& settings_;
    struct Progress {
        bool pulling = false;
        std::optional<int> percent;
        std::string problem;
    };
    std::map<std::string, Progress> progress_;
};

}  // namespace agentdb9::services

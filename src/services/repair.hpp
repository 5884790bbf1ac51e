// What differs between the database and the engine, or within the database, and what can be put right without
// anybody's files being at stake. Volumes are never removed here. Control executor.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "services/docker_volume_service.hpp"

namespace agentdb9::services {

struct Discrepancy {
    enum class Kind { kContainer, kVolume, kState, kLease, kTrash };
    Kind kind = Kind::kState;
    std::string subject;  // the name or id of what it is about
    std::string what;     // a sentence
    std::string remedy;   // what the repair does, or what a person has to do: a sentence
    bool repairable = false;
    bool repaired = false;
};
std::string_view to_text(Discrepancy::Kind kind);

class Repair {
  public:
    // `changed`: a workspace's row was mended; absent where nobody serves.
    Repair(base::Clock& clock, store::Store& store, runtime::Runtime& runtime, DockerVolumeService& volumes,
           std::function<Task<>(model::Workspace)> changed = {})
        : clock_(clock), store_(store), runtime_(runtime), volumes_(volumes), changed_(std::move(changed)) {}

    // Looks, and changes nothing. Throws what store and runtime throw.
    Task<std::vector<Discrepancy>> find();
    // Puts right what is repairable. What fails, or is not so any more, stays unrepaired.
    Task<std::vector<Discrepancy>> carry_out();

  private:
    struct Found;
    Task<std::vector<Found>> look();
    Task<> mend_rows();
    Task<bool> purge_again(model::Tombstone tombstone);

    base::Clock& clock_;
    store::Store& store_;
    runtime::Runtime& runtime_;
    DockerVolumeService& volumes_;
    std::function<Task<>(model::Workspace)> changed_;
};

}  // namespace agentdb9::services

// Says whether what the server does is right: what must hold at every moment, and what must hold once it is
// left alone. It looks at the engine and the database themselves, never at what the server believes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "simulation/server.hpp"

namespace agentdb9::simulation {

class Judge {
  public:
    explicit Judge(Machine& machine) : machine_(machine) {}

    // The first thing that was wrong.
    const std::optional<std::string>& verdict() const { return verdict_; }
    void accuse(std::string what);

    // What happens, as it happens.
    void went_live(const test::EngineInstance& instance);
    void volume_removed(const test::EngineVolume& volume);
    void published(const Server* by, std::shared_ptr<const model::RouteTable> table);
    void told(const Server* server, const test::EngineEvent& event);
    void idle();
    void server_began(const Server* server) { views_[server]; }
    void server_ended(const Server* server);
    // The engine is about to change something of the workspace's for this server, which may not even wait for
    // it any more.
    void acted(const std::string& server, const base::WorkspaceId& workspace, bool given_up);
    void purge_asked_for(const base::TombstoneId& tombstone) { purges_.insert(tombstone); }
    void request_ended(const std::string& what, base::Duration took, const std::optional<base::Error>& error);

    // What somebody was told is done, was done.
    void answered(const Server* by, const services::Requested& requested);

    // Nothing goes wrong from outside in this schedule: a request may be refused for good reasons only.
    void expect_no_faults() { no_faults_ = true; }
    // The servers' clocks differ by this much at most.
    void expect_skew(base::Duration most) { skew_ = most; }

    // What is not yet as it should be once nothing happens any more; absent when all is well.
    std::optional<std::string> unsettled();
    // The same for what is kept: nothing is lost, nothing is left behind.
    std::optional<std::string> lost_or_left_over();

  private:
    struct Rows {
        std::vector<model::Workspace> workspaces;
        std::vector<model::Project> projects;
        std::vector<model::Tombstone> tombstones;
        std::vector<std::string> open_operations;
        std::map<base::WorkspaceId, model::Operation> latest;
    };
    // What one server has told, and has been told of.
    struct View {
        std::shared_ptr<const model::RouteTable> table;
        std::map<std::string, base::SteadyTime> told_dead;  // when, of an instance's end
        std::vector<std::string> just_died;
        std::map<base::WorkspaceId, base::Time> last_ready;  // when requests last reached it
    };
    Rows read();
    std::optional<std::string> unsettled(const Rows& rows, const View& view);
    std::optional<std::string> unsettled(const Rows& rows, const View& view,
                                         const model::Workspace& workspace);
    std::optional<std::string> wrong_running(const Rows& rows, const model::Workspace& workspace,
                                             const model::Route& route);
    std::optional<std::string> wrong_stopped(const Rows& rows, const model::Workspace& workspace,
                                             const model::Route& route);
    std::optional<std::string> wrong_restarts(const model::Workspace& workspace);
    std::optional<std::string> wrong_defaults(const Rows& rows, const model::RouteTable& table);
    std::vector<const test::EngineInstance*> instances_of(const base::WorkspaceId& workspace);

    Machine& machine_;
    std::optional<std::string> verdict_;
    std::map<const Server*, View> views_;
    std::map<base::WorkspaceId, base::Time> last_ready_;  // by way of any server, also one that has ended
    std::set<base::TombstoneId> purges_;
    bool no_faults_ = false;
    base::Duration skew_{0};
};

}  // namespace agentdb9::simulation

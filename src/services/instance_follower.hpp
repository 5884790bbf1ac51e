// Stays with the instance that a workspace has, as long as anybody watches: through stops, starts and
// switches, and while the engine cannot be heard. What is followed of it is the derived class's. Control
// executor.
#pragma once

#include <optional>
#include <string>

#include "services/feed.hpp"
#include "services/instance_finder.hpp"

namespace agentdb9::services {

struct FollowerTools {
    asio::any_io_executor executor;
    base::Clock& clock;
    const InstanceFinder& finder;
};

class InstanceFollower : public Feed {
  public:
    InstanceFollower(const FollowerTools& tools, base::WorkspaceId workspace);

    // Until nobody watches, the workspace is gone, or it is cancelled.
    Task<> run();
    // Something of the workspace, or of its instance, may have changed.
    void look_again() { changed_.notify_all(); }
    void finish() override;
    const base::WorkspaceId& workspace() const { return workspace_; }

  protected:
    // There is another one, or it is in another state. Absent: there is none.
    virtual void on_instance(const std::optional<model::Instance>& instance) = 0;
    // Returns once nothing more comes from it, or for the moment.
    virtual Task<> follow(model::Instance instance) = 0;
    virtual void on_trouble(const base::Error& error) = 0;
    virtual void on_gone() = 0;

    // Something came: an outage that was told of is over.
    void going_well();

    base::Clock& clock() { return tools_.clock; }

  private:
    Task<> one_look();
    Task<> settle(base::Error error);
    // Ends when the instance is to be followed no more, although it goes on.
    Task<> until_over(std::string instance);
    Task<> wait_for_change(base::Duration most);

    FollowerTools tools_;
    base::WorkspaceId workspace_;
    base::Signal changed_;
    bool told_ = false;  // on_instance was called
    std::optional<model::Instance> seen_;
    int failures_ = 0;  // in a row
    bool outage_told_ = false;
};

}  // namespace agentdb9::services

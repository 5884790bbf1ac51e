// The log of one workspace for all who follow it: one stream of the engine's, its latest lines in a ring.
// Control executor.
#pragma once

#include <functional>

#include "services/event_ring.hpp"
#include "services/instance_follower.hpp"
#include "services/log_seam.hpp"

namespace agentdb9::services {

class LogFeed final : public InstanceFollower {
  public:
    // How an event is written for those who watch: once, for all of them.
    using Writer = std::function<std::string(const LogEvent&)>;
    static constexpr std::int64_t kRingLines = 1000;

    // `streams`: how many of the engine's are open, over all feeds; outlives this.
    LogFeed(const FollowerTools& tools, base::WorkspaceId workspace, runtime::Monitoring& monitoring,
            Writer writer, std::int64_t& streams);

    const EventRing& ring() const { return ring_; }
    // What there was of the log when it began is in the ring.
    bool ready() const { return ready_; }
    // The ring begins where the first instance's log does.
    bool whole() const { return whole_ && ring_.whole(); }
    // What was last followed; empty: nothing yet.
    const std::string& instance() const { return instance_; }
    std::string write(const LogEvent& event) const { return writer_(event); }

  protected:
    void on_instance(const std::optional<model::Instance>& instance) override;
    Task<> follow(model::Instance instance) override;
    void on_trouble(const base::Error& error) override;
    void on_gone() override;

  private:
    class Intake;
    void add(runtime::OutputLine line, bool behind);
    void add(const LogEvent& event) { ring_.push(std::nullopt, writer_(event)); }
    Task<> read(std::string instance, runtime::OutputQuery query);

    runtime::Monitoring& monitoring_;
    Writer writer_;
    std::int64_t& streams_;
    EventRing ring_;
    LogSeam seam_;
    std::string instance_;
    std::string short_id_;
    bool ready_ = false;
    bool whole_ = false;
    // Of the present reading:
    std::int64_t read_ = 0;  // lines
    int repeated_ = 0;       // of them told before, after the first that was not, while it was behind
    bool fresh_ = false;     // one was not
    bool jumped_ = false;    // it may begin later than the last one ended
    std::string trouble_;    // of which was told last
};

}  // namespace agentdb9::services

// One command in a workspace's container: begun, read by one who asked for it, and ended with its reader, its
// time, its workspace or its permission, whichever comes first. Control executor, but for the end of a
// reader's life, which may come on any thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "auth/principal.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "runtime/execution.hpp"
#include "services/command_ending.hpp"

namespace agentdb9::services {

struct CommandOutput {
    runtime::OutputStream stream = runtime::OutputStream::kStdout;
    std::string bytes;
};

struct CommandEnd {
    std::optional<int> exit_code;  // absent: it was not told, for the container went with it
    CommandEnding ending = CommandEnding::kItself;
    bool left_running = false;        // it could not be ended
    std::uint64_t dropped_bytes = 0;  // after the moment at which it was to end
    base::Duration took{0};
};

struct CommandRequest {
    runtime::CommandSpec spec;
    std::string input;  // only with spec.input
    // Instead of it, also only with that: read as the command takes it. What it throws ends the command.
    std::shared_ptr<base::ByteSource> source = {};
    base::Duration time_limit{0};
};

class RunningCommand {
  public:
    struct Facts {
        base::WorkspaceId workspace;
        auth::Principal principal;
        std::string instance;
        // Whether the instance was ended on purpose, or by itself. Asked where the command ended with it.
        std::function<Task<bool>()> instance_is_gone;
        std::function<void()> at_end = {};
    };
    RunningCommand(asio::any_io_executor executor, base::Clock& clock, runtime::Executions& executions,
                   Facts facts, CommandRequest request);

    const Facts& facts() const { return facts_; }

    // From beginning to end; in a scope of its own, whoever goes meanwhile.
    Task<> run(base::Scope& scope);
    // Ends it soon, for that reason; the first counts.
    void end(CommandEnding why);
    bool ended() const { return ended_; }

    // Until it has begun. Throws what kept it from that.
    Task<> begun();
    // What it prints; absent at the end. Throws what kept it from being read.
    Task<std::optional<CommandOutput>> next();
    // Once next() was absent.
    const CommandEnd& how_it_ended() const { return end_; }

    // Held by whoever reads: the command ends a moment after the last has gone.
    std::shared_ptr<const void> presence();

  private:
    Task<> begin_and_run(base::Scope& scope);
    // Returns when the output has ended.
    Task<> pump();
    Task<> reason_to_end();
    Task<> make_end();
    Task<> settle(bool by_itself);
    Task<> pump_and_feed();
    Task<> feed_from_source();
    static Task<> feed(std::shared_ptr<runtime::Execution> execution, std::string input);

    base::Clock& clock_;
    runtime::Executions& executions_;
    Facts facts_;
    CommandRequest request_;
    std::shared_ptr<runtime::Execution> execution_;
    base::SteadyTime began_at_;
    std::weak_ptr<const void> readers_;
    base::Signal changed_;   // reasons to end
    base::Signal news_;      // for the reader
    base::Signal has_room_;  // for the pump
    std::deque<CommandOutput> output_;
    std::size_t output_bytes_ = 0;
    bool discards_ = false;
    bool begun_ = false;
    bool output_over_ = false;
    bool ended_ = false;
    std::optional<CommandEnding> wanted_;
    std::exception_ptr failure_;
    CommandEnd end_;
};

}  // namespace agentdb9::services

// One terminal in a workspace's container: a program with its pty, which outlives the connections that come
// to it one after the other. Control executor.
//
// The program waits while there is more output than the ring holds and nobody has: none is lost, and memory
// stays as it is, whoever is slow or away.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "auth/principal.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "services/command_ending.hpp"
#include "services/output_ring.hpp"

namespace agentdb9::services {

struct TerminalEnd {
    std::optional<int> exit_code;
    CommandEnding ending = CommandEnding::kItself;
    bool left_running = false;
};

class Terminal;

// Held by the one connection that has a terminal; once it has gone, on whatever thread, the terminal is
// alone.
struct TerminalAttachment {
    std::shared_ptr<Terminal> terminal;
    bool taken_over = false;  // another has it now
};

class Terminal : public std::enable_shared_from_this<Terminal> {
  public:
    static constexpr std::size_t kRingBytes = std::size_t{256} << 10;
    static constexpr std::size_t kMostInput = std::size_t{64} << 10;

    struct Facts {
        std::string id;
        base::WorkspaceId workspace;
        auth::Principal principal;  // of whoever came last
        std::string instance;
        base::Time created_at;
        base::Duration keep{0};  // without a connection
        std::function<Task<bool>()> instance_is_gone;
    };
    Terminal(asio::any_io_executor executor, base::Clock& clock, runtime::Executions& executions, Facts facts,
             runtime::TerminalSize size);

    const Facts& facts() const { return facts_; }

    // From beginning to end, and until somebody was told of the end or the time for that is over.
    Task<> run(base::Scope& scope);
    // Throws what kept it from beginning.
    Task<> begun();
    // Ends it soon, for that reason; the first counts.
    void end(CommandEnding why);
    // Nobody is expected to ask how it ended, but who has it now.
    void keep_no_longer();
    const std::optional<TerminalEnd>& how_it_ended() const { return end_; }

    // For the connection that has it from now on; one that had it before is told so.
    std::shared_ptr<TerminalAttachment> attach(auth::Principal principal);
    bool attached() const { return !attachment_.expired(); }

    // For its connection. Waits while there is too much that the program has not read. Takes none once it has
    // ended, or another connection has it.
    Task<> input(std::shared_ptr<const TerminalAttachment> from, std::string bytes);
    std::uint64_t input_bytes() const { return input_bytes_; }
    Task<> resize(runtime::TerminalSize size);
    runtime::TerminalSize size() const { return size_; }
    const OutputRing& output() const { return ring_; }
    // Up to where the client has it, or is on its way to have it: what comes before needs no place any more.
    void passed(std::uint64_t offset);
    // When bytes last moved, either way.
    base::Time used_at() const { return used_at_; }
    base::Signal& news() { return news_; }
    // The client knows how it ended, or its place is needed: it is gone.
    void told() {
        told_ = true;
        changed_.notify_all();
    }
    bool is_gone() const { return told_; }

  private:
    Task<> begin_and_run(base::Scope& scope);
    Task<> pump();
    Task<> reason_to_end();
    Task<> make_end();
    Leftovers leftovers() const;
    Task<> linger();
    Task<> settle(bool by_itself);
    static Task<> feed(std::shared_ptr<Terminal> self);
    std::size_t room() const;
    base::Duration away() const;
    void look_for_connection();

    base::Clock& clock_;
    runtime::Executions& executions_;
    Facts facts_;
    runtime::TerminalSize size_;
    std::shared_ptr<runtime::Execution> execution_;
    OutputRing ring_;
    std::uint64_t floor_ = 0;  // passed()
    std::string input_;
    std::uint64_t input_bytes_ = 0;
    base::Time used_at_;
    std::weak_ptr<TerminalAttachment> attachment_;
    base::SteadyTime away_since_;
    base::Signal changed_;
    base::Signal news_;
    base::Signal has_room_;
    base::Signal input_moved_;
    bool discards_ = false;
    bool begun_ = false;
    bool output_over_ = false;
    bool told_ = false;
    bool unwanted_ = false;   // its end is kept for whoever has it, and for nobody else
    bool abandoned_ = false;  // nor for anybody
    std::optional<CommandEnding> wanted_;
    std::exception_ptr failure_;
    std::optional<TerminalEnd> end_;
};

}  // namespace agentdb9::services

#include "services/terminal.hpp"

#include "base/log.hpp"

namespace agentdb9::services {
namespace {

constexpr std::size_t kPiece = std::size_t{16} << 10;
constexpr base::Duration kLook{500};
constexpr int kKilled = 128 + 9;
// A person's shell where there is one.
constexpr std::string_view kShell = "if [ -x /bin/bash ]; then exec /bin/bash -l; else exec /bin/sh -l; fi";

}  // namespace

Terminal::Terminal(asio::any_io_executor executor, base::Clock& clock, runtime::Executions& executions,
                   Facts facts, runtime::TerminalSize size)
    : clock_(clock),
      executions_(executions),
      facts_(std::move(facts)),
      size_(size),
      ring_(kRingBytes),
      away_since_(clock.steady_now()),
      changed_(executor),
      news_(executor),
      has_room_(executor),
      input_moved_(executor) {}

void Terminal::end(CommandEnding why) {
    if (!wanted_) wanted_ = why;
    if (why == CommandEnding::kAsked) {
        unwanted_ = true;
    } else if (why != CommandEnding::kWorkspaceStopped) {
        abandoned_ = true;
    }
    changed_.notify_all();
}

void Terminal::keep_no_longer() {
    unwanted_ = true;
    changed_.notify_all();
}

Task<> Terminal::run(base::Scope& scope) {
    try {
        co_await begin_and_run(scope);
    } catch (...) {
        failure_ = std::current_exception();
    }
    if (!end_) end_ = TerminalEnd{.exit_code = {}, .ending = wanted_.value_or(CommandEnding::kItself)};
    // Here, and not wherever the last connection ends.
    execution_.reset();
    input_.clear();
    news_.notify_all();
    input_moved_.notify_all();
    if (failure_ && base::is_cancellation(failure_)) std::rethrow_exception(failure_);
    if (begun_) co_await linger();
}

Task<> Terminal::begin_and_run(base::Scope& scope) {
    execution_ =
        co_await executions_.execute(facts_.instance, {.command = {"/bin/sh", "-c", std::string(kShell)},
                                                       .directory = "/workspace",
                                                       .environment = {{"TERM", "xterm-256color"}},
                                                       .input = true,
                                                       .terminal = size_});
    begun_ = true;
    used_at_ = clock_.now();
    away_since_ = clock_.steady_now();
    news_.notify_all();
    scope.spawn("a terminal's input", feed(shared_from_this()));
    std::exception_ptr broken;
    try {
        const bool by_itself = co_await base::run_unless(reason_to_end(), pump());
        if (!by_itself) co_await make_end();
        if (!end_) co_await settle(by_itself);
    } catch (...) {
        broken = std::current_exception();
    }
    if (!broken) co_return;
    if (base::is_cancellation(broken)) std::rethrow_exception(broken);
    // It may go on, and is ended when the engine is back. Who has it need not wait for that.
    end_ = TerminalEnd{.exit_code = {}, .ending = CommandEnding::kEngineLost};
    news_.notify_all();
    co_await make_lost_one_end(clock_, *execution_, leftovers());
    std::rethrow_exception(broken);
}

Leftovers Terminal::leftovers() const {
    return wanted_ == CommandEnding::kSignedOut ? Leftovers::kKill : Leftovers::kLeave;
}

Task<> Terminal::make_end() {
    discards_ = true;
    if (co_await make_it_end(clock_, *execution_, [this] { return pump(); }, leftovers())) co_return;
    log::warning("a terminal in a workspace could not be ended", {{"workspace", facts_.workspace.str()}});
    end_ = TerminalEnd{.exit_code = {}, .ending = *wanted_, .left_running = true};
}

// Cancelled between two pieces, it has lost none.
Task<> Terminal::pump() {
    std::vector<char> block(kPiece);
    while (!output_over_) {
        while (room() == 0 && !discards_)
            co_await has_room_.wait();
        const auto most = discards_ ? block.size() : std::min(block.size(), room());
        const auto piece = co_await execution_->read(std::span(block).first(most));
        if (piece.size == 0) {
            output_over_ = true;
        } else {
            ring_.append({block.data(), piece.size});
            used_at_ = clock_.now();
            news_.notify_all();
        }
    }
}

// For output, before what somebody still has to get would go.
std::size_t Terminal::room() const {
    const auto held = ring_.end() - std::max(floor_, ring_.begin());
    return ring_.capacity() - static_cast<std::size_t>(held);
}

void Terminal::look_for_connection() {
    if (attached()) away_since_ = clock_.steady_now();
}

base::Duration Terminal::away() const {
    return std::chrono::duration_cast<base::Duration>(clock_.steady_now() - away_since_);
}

Task<> Terminal::reason_to_end() {
    while (!wanted_) {
        look_for_connection();
        if (away() >= facts_.keep) end(CommandEnding::kReaderGone);
        if (auth::has_ended(facts_.principal, clock_.now())) end(CommandEnding::kSignedOut);
        if (!wanted_) co_await base::with_timeout(clock_, kLook, changed_.wait());
    }
}

// Whoever comes again is told how it ended.
Task<> Terminal::linger() {
    while (!told_ && !abandoned_) {
        look_for_connection();
        if (away() >= facts_.keep || (unwanted_ && !attached())) break;
        co_await base::with_timeout(clock_, kLook, changed_.wait());
    }
}

Task<> Terminal::settle(bool by_itself) {
    TerminalEnd end;
    if (!by_itself) end.ending = *wanted_;
    end.exit_code = co_await execution_->exit_code();
    const bool perhaps = by_itself && (!end.exit_code || *end.exit_code == kKilled);
    if (perhaps && co_await facts_.instance_is_gone()) {
        end.ending = CommandEnding::kWorkspaceStopped;
        end.exit_code.reset();
    }
    end_ = end;
}

Task<> Terminal::begun() {
    while (!begun_ && !end_)
        co_await news_.wait();
    if (!begun_ && failure_) std::rethrow_exception(failure_);
}

std::shared_ptr<TerminalAttachment> Terminal::attach(auth::Principal principal) {
    if (const auto before = attachment_.lock()) before->taken_over = true;
    facts_.principal = std::move(principal);
    auto attachment = std::make_shared<TerminalAttachment>(shared_from_this());
    attachment_ = attachment;
    look_for_connection();
    changed_.notify_all();
    news_.notify_all();
    input_moved_.notify_all();
    return attachment;
}

Task<> Terminal::input(std::shared_ptr<const TerminalAttachment> from, std::string bytes) {
    while (input_.size() >= kMostInput && !end_ && !from->taken_over)
        co_await input_moved_.wait();
    // Of one that has ended nobody would ever take it out again; another connection was told that this has
    // not come, and sends it itself.
    if (end_ || from->taken_over) co_return;
    // Counted with being kept: whoever is cut off knows by the count what is to be sent again.
    input_bytes_ += bytes.size();
    used_at_ = clock_.now();
    input_ += bytes;
    input_moved_.notify_all();
}

Task<> Terminal::feed(std::shared_ptr<Terminal> self) {
    while (!self->end_ && self->execution_) {
        if (self->input_.empty()) {
            co_await self->input_moved_.wait();
            continue;
        }
        const auto execution = self->execution_;
        const auto bytes = std::exchange(self->input_, {});
        co_await execution->write(bytes);
        self->input_moved_.notify_all();
    }
}

Task<> Terminal::resize(runtime::TerminalSize size) {
    size_ = size;
    const auto execution = execution_;
    if (execution && !end_) co_await execution->resize(size);
}

void Terminal::passed(std::uint64_t offset) {
    floor_ = std::clamp(offset, ring_.begin(), ring_.end());
    has_room_.notify_all();
}

}  // namespace agentdb9::services

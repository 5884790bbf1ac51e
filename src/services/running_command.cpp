#include "services/running_command.hpp"

#include "base/log.hpp"

namespace agentdb9::services {
namespace {

// What lies between a command and its reader; it waits when there is more.
constexpr std::size_t kMostHeld = std::size_t{256} << 10;
constexpr std::size_t kPiece = std::size_t{32} << 10;
// How often it is looked whether anybody reads.
constexpr base::Duration kLook{500};
constexpr int kKilled = 128 + 9;

}  // namespace

RunningCommand::RunningCommand(asio::any_io_executor executor, base::Clock& clock,
                               runtime::Executions& executions, Facts facts, CommandRequest request)
    : clock_(clock),
      executions_(executions),
      facts_(std::move(facts)),
      request_(std::move(request)),
      began_at_(clock.steady_now()),
      changed_(executor),
      news_(executor),
      has_room_(executor) {}

std::shared_ptr<const void> RunningCommand::presence() {
    auto there = readers_.lock();
    if (!there) readers_ = there = std::make_shared<int>(0);
    return there;
}

void RunningCommand::end(CommandEnding why) {
    if (!wanted_) wanted_ = why;
    changed_.notify_all();
}

Task<> RunningCommand::run(base::Scope& scope) {
    try {
        co_await begin_and_run(scope);
    } catch (...) {
        failure_ = std::current_exception();
    }
    // Here, and not wherever the last reader ends.
    execution_.reset();
    ended_ = true;
    if (facts_.at_end) facts_.at_end();
    end_.took = std::chrono::duration_cast<base::Duration>(clock_.steady_now() - began_at_);
    news_.notify_all();
    // Told to the reader; nobody else has to know.
    if (failure_ && base::is_cancellation(failure_)) std::rethrow_exception(failure_);
}

Task<> RunningCommand::begin_and_run(base::Scope& scope) {
    execution_ = co_await executions_.execute(facts_.instance, std::move(request_.spec));
    begun_ = true;
    began_at_ = clock_.steady_now();
    news_.notify_all();
    if (request_.source) {
        // beside the output, below
    } else if (!request_.input.empty()) {
        scope.spawn("a command's input", feed(execution_, std::move(request_.input)));
    } else {
        execution_->end_input();
    }
    std::exception_ptr broken;
    try {
        const bool by_itself = co_await base::run_unless(reason_to_end(), pump_and_feed());
        if (!by_itself) co_await make_end();
        co_await settle(by_itself);
    } catch (...) {
        broken = std::current_exception();
    }
    if (!broken) co_return;
    if (base::is_cancellation(broken)) std::rethrow_exception(broken);
    // Its stream broke off, but it may go on. Who reads it need not wait for what comes of that.
    failure_ = broken;
    news_.notify_all();
    co_await make_lost_one_end(clock_, *execution_, Leftovers::kKill);
}

Task<> RunningCommand::feed(std::shared_ptr<runtime::Execution> execution, std::string input) {
    co_await execution->write(input);
    execution->end_input();
}

// Who ends without having read all of its input has no use for the rest.
Task<> RunningCommand::pump_and_feed() {
    if (request_.source && !co_await base::run_unless(pump(), feed_from_source())) co_return;
    co_await pump();
}

Task<> RunningCommand::feed_from_source() {
    std::vector<char> block(kPiece);
    std::exception_ptr broken;
    try {
        while (const auto got = co_await request_.source->read(block))
            co_await execution_->write(std::span(block).first(got));
    } catch (...) {
        broken = std::current_exception();
    }
    if (!broken) {
        execution_->end_input();
    } else if (base::is_cancellation(broken)) {
        std::rethrow_exception(broken);
    } else {
        // What has come must not pass for the whole: no end of it is told.
        end(CommandEnding::kReaderGone);
    }
}

Task<> RunningCommand::pump() {
    std::vector<char> block(kPiece);
    while (!output_over_) {
        while (output_bytes_ >= kMostHeld && !discards_)
            co_await has_room_.wait();
        const auto piece = co_await execution_->read(block);
        if (piece.size == 0) {
            output_over_ = true;
        } else if (output_bytes_ >= kMostHeld) {
            end_.dropped_bytes += piece.size;
        } else {
            output_.push_back({piece.stream, std::string(block.data(), piece.size)});
            output_bytes_ += piece.size;
            news_.notify_all();
        }
    }
}

Task<> RunningCommand::reason_to_end() {
    const auto until = began_at_ + request_.time_limit;
    while (!wanted_) {
        if (readers_.expired()) end(CommandEnding::kReaderGone);
        if (auth::has_ended(facts_.principal, clock_.now())) end(CommandEnding::kSignedOut);
        const auto left = until - clock_.steady_now();
        if (left <= base::SteadyTime::duration(0)) end(CommandEnding::kTimeLimit);
        if (wanted_) break;
        const auto pause = std::min(kLook, std::chrono::ceil<base::Duration>(left));
        co_await base::with_timeout(clock_, pause, changed_.wait());
    }
}

Task<> RunningCommand::make_end() {
    discards_ = true;
    end_.left_running =
        !co_await make_it_end(clock_, *execution_, [this] { return pump(); }, Leftovers::kKill);
    if (end_.left_running)
        log::warning("a command in a workspace could not be ended", {{"workspace", facts_.workspace.str()}});
}

Task<> RunningCommand::settle(bool by_itself) {
    if (!by_itself) end_.ending = *wanted_;
    if (end_.left_running) co_return;
    end_.exit_code = co_await execution_->exit_code();
    // What is killed with its container looks like any other that is killed.
    const bool perhaps = by_itself && (!end_.exit_code || *end_.exit_code == kKilled);
    if (perhaps && co_await facts_.instance_is_gone()) {
        end_.ending = CommandEnding::kWorkspaceStopped;
        end_.exit_code.reset();
    }
}

Task<> RunningCommand::begun() {
    while (!begun_ && !ended_)
        co_await news_.wait();
    if (!begun_ && failure_) std::rethrow_exception(failure_);
}

Task<std::optional<CommandOutput>> RunningCommand::next() {
    while (output_.empty() && !ended_ && !failure_)
        co_await news_.wait();
    if (output_.empty()) {
        if (failure_) std::rethrow_exception(failure_);
        co_return std::nullopt;
    }
    auto piece = std::move(output_.front());
    output_.pop_front();
    output_bytes_ -= piece.bytes.size();
    has_room_.notify_all();
    co_return piece;
}

}  // namespace agentdb9::services

// What of one instance's log was read for one watcher alone, because the ring has it no more; and which lines
// of the ring are among it. Memory is bounded. Pure.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "services/log_events.hpp"
#include "services/log_seam.hpp"

namespace agentdb9::services {

class PastLines final : public runtime::OutputSink {
  public:
    static constexpr std::size_t kMost = 10'000;
    // How far two lines of a log may stand in the wrong order.
    static constexpr std::int64_t kOverlap = 1'000'000'000;

    // `after`: the line after which it begins; it is read from kOverlap before that.
    PastLines(std::string instance, std::optional<LineId> after);

    void on_line(runtime::OutputLine line) override;
    Task<> pause() override;

    // The next one, which is taken away; absent: there are no more.
    std::optional<LogLine> take();
    bool empty() const { return lines_.empty(); }
    // Some of what was asked for is not in it.
    bool left_out() const { return left_out_ > 0 || (read_ >= kMost && !found_); }

    // Is this line of the ring one that was read here, or is it from before that?
    bool has(const LineId& id) const;
    // Nothing that the ring has after this line was read here.
    bool ends_before(const LineId& id) const;

  private:
    std::string instance_;
    std::optional<LineId> after_;
    bool found_ = false;
    std::size_t read_ = 0;
    std::size_t bytes_ = 0;
    std::uint64_t left_out_ = 0;
    LogSeam seam_;
    std::deque<LogLine> lines_;
};

}  // namespace agentdb9::services

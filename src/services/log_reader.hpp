// The output of a workspace's instance as it is now, for one who asks once. Control executor.
#pragma once

#include <deque>
#include <optional>

#include "base/clock.hpp"
#include "runtime/monitoring.hpp"
#include "services/admission_queue.hpp"
#include "services/instance_finder.hpp"

namespace agentdb9::services {

// Takes the last lines, as many as it may.
class LastLines final : public runtime::OutputSink {
  public:
    LastLines(std::size_t most_lines, std::size_t most_bytes)
        : most_lines_(most_lines), most_bytes_(most_bytes) {}

    void on_line(runtime::OutputLine line) override;
    Task<> pause() override;

    std::deque<runtime::OutputLine>& lines() { return lines_; }
    std::uint64_t left_out() const { return left_out_; }  // before them, for want of room

  private:
    std::size_t most_lines_;
    std::size_t most_bytes_;
    std::size_t bytes_ = 0;
    std::uint64_t left_out_ = 0;
    std::deque<runtime::OutputLine> lines_;
};

struct LogQuery {
    std::int64_t tail = 200;               // at most kMostLines
    std::optional<std::int64_t> since_ns;  // inclusive
};
inline constexpr std::int64_t kMostLines = 10'000;

struct LogPage {
    bool has_instance = false;  // false: there is no container
    bool left_out = false;      // lines that were asked for are not in it, for there is too much of them
    std::deque<runtime::OutputLine> lines;
};

class LogReader {
  public:
    LogReader(asio::any_io_executor executor, base::Clock& clock, runtime::Monitoring& monitoring,
              const InstanceFinder& finder);

    // Of the instance that the workspace means now, a stopped one, too. Throws kNotFound for what is not the
    // user's, kUnavailable "runtime_unavailable", kTimeout "runtime_timeout", kConflict "logs_not_kept".
    Task<LogPage> read(base::UserId user, base::WorkspaceId workspace, LogQuery query);
    // The same of an instance, into `sink`.
    Task<> read_instance(std::string instance, runtime::OutputQuery query, runtime::OutputSink& sink);

  private:
    Task<> read_in_turn(std::string instance, runtime::OutputQuery query, runtime::OutputSink& sink);

    base::Clock& clock_;
    runtime::Monitoring& monitoring_;
    const InstanceFinder& finder_;
    AdmissionQueue places_;  // what is read is held in memory
};

}  // namespace agentdb9::services

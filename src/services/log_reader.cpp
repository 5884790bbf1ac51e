#include "services/log_reader.hpp"

#include "base/error.hpp"

namespace agentdb9::services {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr std::size_t kReadAtOnce = 8;
constexpr std::chrono::seconds kLimit{30};

}  // namespace

void LastLines::on_line(runtime::OutputLine line) {
    bytes_ += line.text.size();
    lines_.push_back(std::move(line));
    while (lines_.size() > most_lines_ || (bytes_ > most_bytes_ && lines_.size() > 1)) {
        bytes_ -= lines_.front().text.size();
        lines_.pop_front();
        ++left_out_;
    }
}

Task<> LastLines::pause() {
    co_return;
}

LogReader::LogReader(asio::any_io_executor executor, base::Clock& clock, runtime::Monitoring& monitoring,
                     const InstanceFinder& finder)
    : clock_(clock), monitoring_(monitoring), finder_(finder), places_(std::move(executor), kReadAtOnce) {}

Task<> LogReader::read_in_turn(std::string instance, runtime::OutputQuery query, runtime::OutputSink& sink) {
    const auto place = co_await places_.enter();
    co_await monitoring_.read_output(std::move(instance), query, sink);
}

Task<> LogReader::read_instance(std::string instance, runtime::OutputQuery query, runtime::OutputSink& sink) {
    const bool read =
        co_await base::with_timeout(clock_, kLimit, read_in_turn(std::move(instance), query, sink));
    if (!read) {
        throw base::Error(
            base::ErrorCode::kTimeout, "runtime_timeout",
            "The container engine did not hand over the log in time; ask for fewer lines (tail) or "
            "for later ones (since).");
    }
}

Task<LogPage> LogReader::read(base::UserId user, base::WorkspaceId workspace, LogQuery query) {
    const auto instance = co_await finder_.current(workspace, user);
    LogPage page{.has_instance = instance.has_value()};
    if (!instance) co_return page;
    LastLines last(static_cast<std::size_t>(query.tail), kMostBytes);
    bool gone = false;
    try {
        co_await read_instance(instance->id, {.tail = query.tail, .since_ns = query.since_ns}, last);
    } catch (const base::Error& error) {
        if (error.word() != "instance_not_found") throw;
        gone = true;
    }
    // Removed since it was looked for: there is none.
    if (gone) co_return LogPage{};
    page.left_out = last.left_out() > 0;
    page.lines = std::move(last.lines());
    co_return page;
}

}  // namespace agentdb9::services

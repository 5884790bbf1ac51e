#include "services/past_lines.hpp"

namespace agentdb9::services {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr std::size_t kRemembered = 512;

}  // namespace

PastLines::PastLines(std::string instance, std::optional<LineId> after)
    : instance_(std::move(instance)), after_(std::move(after)), seam_(kRemembered) {}

void PastLines::on_line(runtime::OutputLine line) {
    ++read_;
    auto id = id_of(line, instance_);
    if (!seam_.admit(id.at_ns, id.tag)) return;
    if (after_ == id) {
        // All before it was told.
        lines_.clear();
        bytes_ = 0;
        left_out_ = 0;
        found_ = true;
        return;
    }
    // Only where the line itself is not there any more do the times alone decide.
    if (after_ && !found_ && line.at_ns <= after_->at_ns) return;
    bytes_ += line.text.size();
    lines_.push_back({std::move(id), std::move(line)});
    while (lines_.size() > kMost || bytes_ > kMostBytes) {
        bytes_ -= lines_.front().line.text.size();
        lines_.pop_front();
        ++left_out_;
    }
}

Task<> PastLines::pause() {
    co_return;
}

std::optional<LogLine> PastLines::take() {
    if (lines_.empty()) return std::nullopt;
    auto line = std::move(lines_.front());
    lines_.pop_front();
    return line;
}

bool PastLines::has(const LineId& id) const {
    if (id.instance != instance_) return false;
    return (after_ && id.at_ns < after_->at_ns - kOverlap) || seam_.told(id.at_ns, id.tag);
}

bool PastLines::ends_before(const LineId& id) const {
    return id.instance != instance_ || id.at_ns > seam_.last() + kOverlap;
}

}  // namespace agentdb9::services

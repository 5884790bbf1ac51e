#include "services/log_seam.hpp"

#include <algorithm>

namespace agentdb9::services {
namespace {

// How far two lines may stand in the wrong order.
constexpr std::int64_t kOverlap = 1'000'000'000;

}  // namespace

bool LogSeam::admit(std::int64_t at_ns, std::uint32_t tag) {
    // Where the log was read from its middle on, what stands before must not be read later.
    if (given_.empty()) first_ = at_ns;
    if (!given_.emplace(at_ns, tag).second) return false;
    last_ = std::max(last_, at_ns);
    if (given_.size() > remembered_) {
        first_ = std::max(first_, given_.begin()->first + 1);
        given_.erase(given_.begin());
    }
    return true;
}

std::optional<std::int64_t> LogSeam::since() const {
    if (given_.empty()) return std::nullopt;
    return std::max(last_ - kOverlap, first_);
}

bool LogSeam::told(std::int64_t at_ns, std::uint32_t tag) const {
    if (given_.empty()) return false;
    return at_ns < *since() || given_.contains({at_ns, tag});
}

}  // namespace agentdb9::services

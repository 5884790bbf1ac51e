#include "services/output_ring.hpp"

#include <algorithm>

namespace agentdb9::services {

void OutputRing::append(std::string_view bytes) {
    if (bytes.size() > capacity_) {
        end_ += bytes.size() - capacity_;
        bytes.remove_prefix(bytes.size() - capacity_);
    }
    size_ = std::min(capacity_, size_ + bytes.size());
    while (!bytes.empty()) {
        const auto place = place_of(end_);
        const auto part = std::min(bytes.size(), capacity_ - place);
        if (bytes_.size() < place + part) bytes_.resize(place + part);
        bytes.copy(bytes_.data() + place, part);
        bytes.remove_prefix(part);
        end_ += part;
    }
}

std::string OutputRing::read(std::uint64_t from, std::size_t most) const {
    auto left = static_cast<std::size_t>(std::min<std::uint64_t>(most, end_ - from));
    std::string out;
    out.reserve(left);
    while (left > 0) {
        const auto place = place_of(from);
        const auto part = std::min(left, capacity_ - place);
        out.append(bytes_, place, part);
        from += part;
        left -= part;
    }
    return out;
}

}  // namespace agentdb9::services

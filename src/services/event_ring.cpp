#include "services/event_ring.hpp"

namespace agentdb9::services {

void EventRing::push(std::optional<LineId> id, std::string text) {
    bytes_ += text.size();
    const bool line = id.has_value();
    entries_.push_back({std::move(id), std::move(text), lines_});
    if (line) ++lines_;
    while (entries_.size() > most_events_ || (bytes_ > most_bytes_ && entries_.size() > 1)) {
        bytes_ -= entries_.front().text.size();
        entries_.pop_front();
        ++first_;
    }
}

EventRing::Cursor EventRing::begin() const {
    return {first_, entries_.empty() ? lines_ : entries_.front().lines_before};
}

EventRing::Cursor EventRing::tail(std::uint64_t lines) const {
    for (std::size_t i = entries_.size(); i > 0; --i) {
        const auto& entry = entries_[i - 1];
        // The last of what stands before those lines, so that what was said between goes with them.
        if (entry.id && lines_ - entry.lines_before > lines) return {first_ + i, entry.lines_before + 1};
    }
    return begin();
}

std::optional<EventRing::Cursor> EventRing::after(const LineId& id) const {
    for (std::size_t i = entries_.size(); i > 0; --i) {
        const auto& entry = entries_[i - 1];
        if (entry.id == id) return Cursor{first_ + i, entry.lines_before + 1};
    }
    return std::nullopt;
}

EventRing::Cursor EventRing::since(std::int64_t at_ns) const {
    Cursor cursor = begin();
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const auto& entry = entries_[i];
        if (!entry.id) continue;
        if (entry.id->at_ns >= at_ns) return cursor;
        cursor = {first_ + i + 1, entry.lines_before + 1};
    }
    return cursor;
}

const EventRing::Entry* EventRing::next(Cursor& cursor, std::uint64_t& lost) const {
    if (cursor.event < first_) {
        const auto start = begin();
        lost += start.lines - cursor.lines;
        cursor = start;
    }
    if (cursor.event >= first_ + entries_.size()) return nullptr;
    const auto& entry = entries_[cursor.event - first_];
    ++cursor.event;
    if (entry.id) ++cursor.lines;
    return &entry;
}

std::optional<std::int64_t> EventRing::first_time() const {
    for (const auto& entry : entries_)
        if (entry.id) return entry.id->at_ns;
    return std::nullopt;
}

}  // namespace agentdb9::services

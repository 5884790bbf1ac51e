// The latest events of a stream that any number of watchers read, each at a pace of its own. It holds each
// once, already written out; a watcher is a cursor, and one that is too slow finds that events have gone.
// Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "services/log_events.hpp"

namespace agentdb9::services {

class EventRing {
  public:
    // A place between two events.
    struct Cursor {
        std::uint64_t event = 0;
        std::uint64_t lines = 0;  // that came before it
    };
    struct Entry {
        std::optional<LineId> id;  // of a line
        std::string text;
        std::uint64_t lines_before = 0;
    };

    EventRing(std::size_t most_events, std::size_t most_bytes)
        : most_events_(most_events), most_bytes_(most_bytes) {}

    void push(std::optional<LineId> id, std::string text);

    Cursor begin() const;
    Cursor end() const { return {first_ + entries_.size(), lines_}; }
    // Before the last `lines` lines, or as many as there are.
    Cursor tail(std::uint64_t lines) const;
    // After that line; absent when it is not here.
    std::optional<Cursor> after(const LineId& id) const;
    // Before the first line that was printed at `at_ns` or later, and what was said just before it; the end
    // where there is none.
    Cursor since(std::int64_t at_ns) const;

    // The event at the cursor, which moves on; nothing at the end. `lost`: how many lines it came too late
    // for are added.
    const Entry* next(Cursor& cursor, std::uint64_t& lost) const;
    // No event has gone since the first.
    bool whole() const { return first_ == 0; }
    bool empty() const { return entries_.empty(); }
    std::optional<std::int64_t> first_time() const;

  private:
    std::size_t most_events_;
    std::size_t most_bytes_;
    std::size_t bytes_ = 0;
    std::uint64_t first_ = 0;  // the number of the first entry
    std::uint64_t lines_ = 0;  // in all
    std::deque<Entry> entries_;
};

}  // namespace agentdb9::services

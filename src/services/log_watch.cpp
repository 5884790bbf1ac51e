#include "services/log_watch.hpp"

#include <algorithm>

namespace agentdb9::services {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;

}  // namespace

LogWatch::LogWatch(base::Clock& clock, std::shared_ptr<LogFeed> feed, LogReader& reader,
                   const InstanceFinder& finder, LogStart start)
    : FeedWatch(clock, feed),
      feed_(std::move(feed)),
      reader_(reader),
      finder_(finder),
      start_(std::move(start)) {}

// 1. A line that the ring has: after it.
// 2. A line of an instance that is still there, or a moment before the ring's first line: what is missing
//    is read from the engine, and then the ring from its first line that was not read so.
// 3. A line of an instance that is gone: all of the present one's.
// 4. Else the last lines.
Task<> LogWatch::begin() {
    const auto& ring = feed_->ring();
    cursor_ = ring.begin();
    const auto present = feed_->instance();
    if (start_.after) {
        const auto wanted = *start_.after;
        if (const auto place = ring.after(wanted)) {
            cursor_ = *place;
            co_return;
        }
        if (present.substr(0, kShortId) == wanted.instance) {
            co_await read_past(present, wanted, wanted.at_ns - PastLines::kOverlap);
        } else {
            co_await read_rest_of(wanted.instance, wanted);
            if (!present.empty() && !feed_->whole()) co_await read_past(present, std::nullopt, std::nullopt);
        }
        skip_told();
        co_return;
    }
    if (start_.since_ns) {
        const auto first = ring.first_time();
        if (feed_->whole() || present.empty() || (first && *first <= *start_.since_ns)) {
            cursor_ = ring.since(*start_.since_ns);
        } else {
            co_await read_past(present, std::nullopt, start_.since_ns);
            skip_told();
        }
        co_return;
    }
    cursor_ = ring.tail(start_.tail);
}

Task<> LogWatch::read_past(std::string instance, std::optional<LineId> after,
                           std::optional<std::int64_t> since_ns) {
    auto& past = pasts_.emplace_back(instance.substr(0, kShortId), std::move(after));
    const runtime::OutputQuery query{.tail = static_cast<std::int64_t>(PastLines::kMost),
                                     .since_ns = since_ns};
    bool failed = false;
    try {
        co_await reader_.read_instance(std::move(instance), query, past);
    } catch (const base::Error&) {
        failed = true;
    }
    lost_unknown_ = lost_unknown_ || failed || past.left_out();
}

Task<> LogWatch::read_rest_of(std::string short_id, LineId after) {
    std::string instance;
    try {
        for (const auto& each : co_await finder_.all(feed_->workspace()))
            if (each.id.substr(0, kShortId) == short_id) instance = each.id;
    } catch (const base::Error&) {
        lost_unknown_ = true;
    }
    if (!instance.empty()) co_await read_past(instance, after, after.at_ns - PastLines::kOverlap);
}

// The ring has moved on while the past was read. What it still has of that counts as told; where it begins
// later than the past ends, something is missing.
void LogWatch::skip_told() {
    const auto& ring = feed_->ring();
    cursor_ = ring.begin();
    auto place = cursor_;
    bool met = false;
    std::uint64_t lost = 0;
    while (const auto* entry = ring.next(place, lost)) {
        if (!entry->id) continue;
        const bool told =
            std::ranges::any_of(pasts_, [&](const PastLines& past) { return past.has(*entry->id); });
        if (!told && !met && !feed_->whole()) lost_unknown_ = true;
        if (!told) break;
        met = true;
        cursor_ = place;
    }
}

void LogWatch::take_past(std::string& text) {
    for (auto& past : pasts_) {
        while (text.size() < kPiece) {
            const auto line = past.take();
            if (!line) break;
            text += feed_->write(*line);
        }
    }
}

bool LogWatch::was_past(const LineId& id) {
    const bool told = std::ranges::any_of(pasts_, [&](const PastLines& past) { return past.has(id); });
    pasts_.remove_if([&](const PastLines& past) { return past.empty() && past.ends_before(id); });
    return told;
}

std::string LogWatch::take() {
    std::string text;
    if (std::exchange(lost_unknown_, false)) text += feed_->write(LeftOut{});
    take_past(text);
    while (text.size() < kPiece) {
        std::uint64_t lost = 0;
        const auto* entry = feed_->ring().next(cursor_, lost);
        if (lost > 0) text += feed_->write(LeftOut{lost});
        if (entry == nullptr) break;
        if (!entry->id || pasts_.empty() || !was_past(*entry->id)) text += entry->text;
    }
    return text;
}

}  // namespace agentdb9::services

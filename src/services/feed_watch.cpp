#include "services/feed_watch.hpp"

namespace agentdb9::services {
namespace {

constexpr base::Duration kQuiet{15'000};
// The client comes again, and has to show its token again.
constexpr std::chrono::minutes kLongest{10};

}  // namespace

FeedWatch::FeedWatch(base::Clock& clock, std::shared_ptr<Feed> feed)
    : clock_(clock),
      feed_(std::move(feed)),
      presence_(feed_->presence()),
      until_(clock_.steady_now() + kLongest) {}

Task<std::optional<std::string>> FeedWatch::next() {
    const auto quiet_at = clock_.steady_now() + kQuiet;
    for (;;) {
        if (clock_.steady_now() >= until_) co_return std::nullopt;
        if (!begun_ && ready()) {
            begun_ = true;
            co_await begin();
        }
        if (begun_) {
            auto text = take();
            if (!text.empty()) co_return std::optional(std::move(text));
        }
        // Asked after the last was taken: the end is told, too.
        if (feed_->ended() || (begun_ && over())) co_return std::nullopt;
        const auto left = std::chrono::ceil<base::Duration>(quiet_at - clock_.steady_now());
        if (left.count() <= 0) co_return std::optional<std::string>(std::string());
        co_await base::with_timeout(clock_, left, feed_->news().wait());
    }
}

}  // namespace agentdb9::services

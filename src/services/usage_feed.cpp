#include "services/usage_feed.hpp"

namespace agentdb9::services {
namespace {

// One a second: whoever is slower by more than this has no use for what is older.
constexpr std::size_t kRingEvents = 30;
constexpr std::size_t kRingBytes = std::size_t{64} << 10;

}  // namespace

class UsageFeed::Intake final : public runtime::UsageSink {
  public:
    explicit Intake(UsageFeed& feed) : feed_(feed) {}
    void on_usage(const runtime::Usage& usage) override {
        feed_.going_well();
        feed_.sample_ = feed_.writer_(usage);
        feed_.ring_.push(std::nullopt, feed_.sample_);
        feed_.news().notify_all();
    }

  private:
    UsageFeed& feed_;
};

UsageFeed::UsageFeed(const FollowerTools& tools, base::WorkspaceId workspace, runtime::Monitoring& monitoring,
                     Writer writer, std::int64_t& streams)
    : InstanceFollower(tools, workspace),
      monitoring_(monitoring),
      writer_(std::move(writer)),
      streams_(streams),
      ring_(kRingEvents, kRingBytes) {}

void UsageFeed::on_instance(const std::optional<model::Instance>& instance) {
    trouble_.clear();
    instance_ = writer_(InstanceSeen{instance});
    sample_.clear();
    ring_.push(std::nullopt, instance_);
}

Task<> UsageFeed::follow(model::Instance instance) {
    // Of one that does not run the engine goes on to say that it uses nothing.
    if (!model::holds_volumes(instance.state)) co_return;
    struct Count {
        std::int64_t& streams;
        explicit Count(std::int64_t& of) : streams(of) { ++streams; }
        ~Count() { --streams; }
    } const count(streams_);
    Intake intake(*this);
    co_await monitoring_.follow_usage(std::move(instance.id), intake);
}

void UsageFeed::on_trouble(const base::Error& error) {
    // Once for each outage, not for each try.
    if (std::exchange(trouble_, error.word()) == error.word()) return;
    ring_.push(std::nullopt, writer_(Interrupted{error.word(), error.message()}));
}

void UsageFeed::on_gone() {
    ring_.push(std::nullopt, writer_(Deleted{}));
}

Task<> UsageWatch::begin() {
    first_ = feed_->present();
    cursor_ = first_.empty() ? feed_->ring().begin() : feed_->ring().end();
    co_return;
}

std::string UsageWatch::take() {
    auto text = std::exchange(first_, {});
    std::uint64_t lost = 0;
    while (const auto* entry = feed_->ring().next(cursor_, lost))
        text += entry->text;
    return text;
}

}  // namespace agentdb9::services

#include "services/log_feed.hpp"

namespace agentdb9::services {
namespace {

constexpr std::size_t kRingEvents = 4096;
constexpr std::size_t kRingBytes = std::size_t{2} << 20;
// Of a container that prints without end no more is read than this: who prints keeps no others waiting. A
// burst fits into the ring, so that who takes it at once misses nothing.
constexpr std::size_t kBurst = std::size_t{256} << 10;
constexpr std::size_t kBytesPerSecond = std::size_t{8} << 20;
constexpr std::size_t kPerLine = 200;  // what a line costs beside its text
// Who falls so far behind goes on with the latest lines: the engine throws away what was not read in time,
// and says nothing of that.
constexpr std::int64_t kMostLag = 3'000'000'000;
// So many lines that were told, after one that was not, while it is behind by so much: the engine has lost
// its place. It repeats some without that, too, when it begins a new file.
constexpr int kRepetitions = 3;
constexpr std::int64_t kSomeLag = 1'000'000'000;

}  // namespace

class LogFeed::Intake final : public runtime::OutputSink {
  public:
    // Thrown when more is printed than can be followed.
    struct Behind {};

    explicit Intake(LogFeed& feed, bool follows) : feed_(feed), follows_(follows) {}

    void on_line(runtime::OutputLine line) override {
        taken_ += line.text.size() + kPerLine;
        last_ns_ = line.at_ns;
        feed_.add(std::move(line), lag_ > kSomeLag);
    }
    Task<> pause() override {
        feed_.news().notify_all();
        const auto lag = base::to_unix_ms(feed_.clock().now()) * 1'000'000 - last_ns_;
        // The engine's clock may be another one: the least lag is none.
        least_lag_ = std::min(least_lag_.value_or(lag), lag);
        if (taken_ < kBurst) co_return;
        lag_ = lag - *least_lag_;
        if (follows_ && lag_ > kMostLag) throw Behind();
        const auto due = base::Duration(static_cast<std::int64_t>(taken_ * 1000 / kBytesPerSecond));
        const auto passed = std::chrono::duration_cast<base::Duration>(feed_.clock().steady_now() - since_);
        if (passed < due) co_await feed_.clock().sleep_for(due - passed);
        taken_ = 0;
        since_ = feed_.clock().steady_now();
    }

  private:
    LogFeed& feed_;
    bool follows_;
    std::size_t taken_ = 0;
    std::int64_t last_ns_ = 0;
    std::optional<std::int64_t> least_lag_;
    std::int64_t lag_ = 0;  // nanoseconds
    base::SteadyTime since_ = feed_.clock().steady_now();
};

LogFeed::LogFeed(const FollowerTools& tools, base::WorkspaceId workspace, runtime::Monitoring& monitoring,
                 Writer writer, std::int64_t& streams)
    : InstanceFollower(tools, workspace),
      monitoring_(monitoring),
      writer_(std::move(writer)),
      streams_(streams),
      ring_(kRingEvents, kRingBytes) {}

void LogFeed::add(runtime::OutputLine line, bool behind) {
    ++read_;
    auto id = id_of(line, short_id_);
    if (!seam_.admit(id.at_ns, id.tag)) {
        jumped_ = false;  // there is no gap
        if (fresh_ && behind && ++repeated_ == kRepetitions) add(LeftOut{});
        return;
    }
    if (std::exchange(jumped_, false)) add(LeftOut{});
    fresh_ = true;
    going_well();
    auto text = writer_(LogLine{id, std::move(line)});
    ring_.push(std::move(id), std::move(text));
}

void LogFeed::on_instance(const std::optional<model::Instance>& instance) {
    trouble_.clear();
    add(InstanceSeen{instance});
    if (!instance) {
        // Nothing is missing of a log that is not there.
        whole_ = whole_ || !ready_;
        ready_ = true;
        return;
    }
    if (instance->id == instance_) return;
    instance_ = instance->id;
    short_id_ = instance->id.substr(0, kShortId);
    seam_ = LogSeam();
}

Task<> LogFeed::read(std::string instance, runtime::OutputQuery query) {
    read_ = 0;
    repeated_ = 0;
    fresh_ = false;
    Intake intake(*this, query.follow);
    co_await monitoring_.read_output(std::move(instance), query, intake);
    news().notify_all();
}

// 1. What there is already, which has an end: then it is known what is older than the first watcher.
// 2. What comes, from a little before the last line on. Who cannot follow goes on with the latest lines.
Task<> LogFeed::follow(model::Instance instance) {
    if (!ready_) {
        co_await read(instance.id, {.tail = kRingLines});
        whole_ = read_ < kRingLines;
        ready_ = true;
        news().notify_all();
    }
    struct Count {
        std::int64_t& streams;
        explicit Count(std::int64_t& of) : streams(of) { ++streams; }
        ~Count() { --streams; }
    } const count(streams_);
    runtime::OutputQuery query{.since_ns = seam_.since(), .follow = true};
    for (bool behind = true; std::exchange(behind, false);) {
        try {
            co_await read(instance.id, query);
        } catch (const Intake::Behind&) {
            behind = true;
            jumped_ = true;
            query = {.tail = kRingLines, .follow = true};
        }
    }
}

void LogFeed::on_trouble(const base::Error& error) {
    // Once for each outage, not for each try.
    if (std::exchange(trouble_, error.word()) == error.word()) return;
    add(Interrupted{error.word(), error.message()});
}

void LogFeed::on_gone() {
    add(Deleted{});
    ready_ = true;
}

}  // namespace agentdb9::services

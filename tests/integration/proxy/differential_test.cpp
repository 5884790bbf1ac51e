// Whatever the data plane passes on, nginx and HAProxy as upstreams take for the same requests: streams of
// good, nearly good and broken requests, each of which a seed decides.
//
//   AGENTDB9_DIFFERENTIAL_STREAMS     how many (10000; 1000 where a sanitizer looks on)
//   AGENTDB9_DIFFERENTIAL_FIRST       the seed of the first one (1); they count upwards
//   AGENTDB9_DIFFERENTIAL_KEEP_GOING  all that fail instead of the first few; and how far it is, now and then
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <mutex>
#include <thread>

#include "base/log.hpp"
#include "differential/judge.hpp"
#include "support/mutation.hpp"

namespace agentdb9::test {
namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::uint64_t kStreams = 1000;
#else
constexpr std::uint64_t kStreams = 10000;
#endif
constexpr std::uint64_t kTellsEvery = 10'000;
constexpr int kMostTold = 3;
// A stream goes by its seed's lane, so that it is the same however many there are of them.
constexpr std::size_t kLanes = 4;

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string told(const Counts& counts) {
    std::string text = std::to_string(counts.streams) + " streams: " + std::to_string(counts.passed_on) +
                       " requests passed on, " + std::to_string(counts.refused) + " refused as malformed, " +
                       std::to_string(counts.turned_away) + " turned away, " +
                       std::to_string(counts.cut_off) + " cut off";
    for (const auto& [what, times] : counts.stricter)
        text += "; " + what + ": " + std::to_string(times);
    return text;
}

std::vector<std::uint16_t> ports_of(const std::deque<Lane>& lanes, Peer peer) {
    std::vector<std::uint16_t> ports;
    for (const auto& lane : lanes)
        ports.push_back(lane.recorder_port(peer));
    return ports;
}

// On a thread: what is thrown there would end the program.
std::optional<std::string> judged(Lane& lane, std::uint64_t seed, const Corpus& corpus) {
    try {
        return lane.judge(seed, corpus);
    } catch (const std::exception& error) {
        return std::string(error.what()) + "\n";
    }
}

TEST(Differential, NginxAndHaproxyFrameWhatIsPassedOnAsWeDo) {
    base::log::configure(base::log::Level::kOff, base::log::Format::kJson);
    const auto streams = number_from("AGENTDB9_DIFFERENTIAL_STREAMS", kStreams);
    const auto first = number_from("AGENTDB9_DIFFERENTIAL_FIRST", 1);
    const bool keep_going = std::getenv("AGENTDB9_DIFFERENTIAL_KEEP_GOING") != nullptr;
    const std::filesystem::path texts(AGENTDB9_CORPUS);
    const Corpus corpus{read_files(texts / "request"), read_files(texts / "chunked")};

    Plane plane;
    std::deque<Lane> lanes;
    for (std::size_t i = 0; i < kLanes; ++i)
        lanes.emplace_back(plane, i);
    const Server nginx(Peer::kNginx, ports_of(lanes, Peer::kNginx));
    const Server haproxy(Peer::kHaproxy, ports_of(lanes, Peer::kHaproxy));
    for (auto& lane : lanes)
        lane.compare_with(nginx, haproxy);

    std::mutex one_at_a_time;
    std::atomic<int> disagreements = 0;
    const auto work = [&](Lane& lane, std::uint64_t number) {
        for (std::uint64_t i = number; i < streams; i += kLanes) {
            if (!keep_going && disagreements >= kMostTold) return;
            const auto found = judged(lane, first + i, corpus);
            const std::lock_guard lock(one_at_a_time);
            if (keep_going && i > 0 && i % kTellsEvery == 0)
                std::cout << "stream " << i << " of " << streams << ", " << disagreements << " disagreements"
                          << std::endl;
            if (!found) continue;
            ++disagreements;
            ADD_FAILURE() << "AGENTDB9_DIFFERENTIAL_STREAMS=1 AGENTDB9_DIFFERENTIAL_FIRST=" << first + i
                          << ": " << *found;
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < kLanes; ++i)
            threads.emplace_back([&, i] { work(lanes[(first + i) % kLanes], i); });
    }
    Counts counts;
    for (const auto& lane : lanes)
        counts.add(lane.counts());
    std::cout << told(counts) << ", " << disagreements << " disagreements" << std::endl;
    // Else nothing was compared.
    if (streams >= 100) {
        EXPECT_GT(counts.passed_on, streams / 2);
        EXPECT_GT(counts.refused, streams / 20);
    }
}

}  // namespace
}  // namespace agentdb9::test

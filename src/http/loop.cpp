#include "http/loop.hpp"

#include <poll.h>

#include "http/stream.hpp"

namespace agentdb9::http {
namespace {

// Enough for a burst; more is given back to the system.
constexpr std::size_t kKeptBlocks = 64;

}  // namespace

Loop::Loop(asio::io_context& io) : io_(io), timer_(io), now_(std::chrono::steady_clock::now()) {}

Loop::~Loop() = default;

base::SteadyTime Loop::after(std::chrono::milliseconds duration) const {
    return now_ + kTick + duration;
}

void Loop::start(std::function<void()> on_tick) {
    on_tick_ = std::move(on_tick);
    running_ = true;
    schedule();
}

void Loop::stop() {
    running_ = false;
    timer_.cancel();
}

void Loop::schedule() {
    timer_.expires_after(kTick);
    timer_.async_wait([this](boost::system::error_code ec) {
        if (ec || !running_) return;
        tick();
        schedule();
    });
}

void Loop::tick() {
    now_ = std::chrono::steady_clock::now();
    std::vector<pollfd> polled;
    std::vector<Stream*> watched;
    for (Member& member : members_) {
        auto& stream = static_cast<Stream&>(member);
        if (!stream.is_open()) continue;
        stream.check_deadlines(now_);
        if (!stream.peer_gone_ || !stream.is_open()) continue;
        polled.push_back({stream.socket_.native_handle(), POLLRDHUP, 0});
        watched.push_back(&stream);
    }
    // A stream never dies inside close(): the coroutine that owns it is only made ready.
    if (!polled.empty() && ::poll(polled.data(), polled.size(), 0) > 0) {
        for (std::size_t i = 0; i < polled.size(); ++i) {
            if ((polled[i].revents & (POLLRDHUP | POLLHUP | POLLERR)) == 0) continue;
            watched[i]->close(IoError::kReset);
            if (auto gone = std::exchange(watched[i]->peer_gone_, nullptr)) gone();
        }
    }
    if (on_tick_) on_tick_();
}

void Loop::close_all() {
    for (Member& member : members_)
        static_cast<Stream&>(member).close();
}

std::unique_ptr<char[]> Loop::take_block() {
    ++blocks_in_use_;
    if (free_blocks_.empty()) return std::make_unique_for_overwrite<char[]>(kBlockSize);
    auto block = std::move(free_blocks_.back());
    free_blocks_.pop_back();
    return block;
}

void Loop::give_block(std::unique_ptr<char[]> block) {
    --blocks_in_use_;
    if (free_blocks_.size() < kKeptBlocks) free_blocks_.push_back(std::move(block));
}

std::size_t Loop::open_streams() const {
    return members_.size();
}

}  // namespace agentdb9::http

#include "http/loop.hpp"

#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "http/stream.hpp"

namespace agentdb9::http {
namespace {

// Enough for a burst; more is given back to the system.
constexpr std::size_t kKeptBlocks = 64;
constexpr std::size_t kKeptPipes = 8;
constexpr int kPipeSize = 1 << 20;
// Ticks without a use, after which no pipe is kept: three seconds.
constexpr int kPipesKeptFor = 30;
constexpr std::size_t kBatch = 256;
// Events in a row, before timers, posted work and listeners have their turn.
constexpr int kEventsAtOnce = 1024;

int make_epoll() {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    return fd;
}

}  // namespace

Loop::Loop(asio::io_context& io)
    : io_(io),
      epoll_(make_epoll()),
      ready_(io, epoll_.get()),
      timer_(io),
      now_(std::chrono::steady_clock::now()),
      scratch_(std::make_unique_for_overwrite<char[]>(kScratchSize)) {}

Loop::~Loop() {
    // It is epoll_'s to close.
    ready_.release();
}

base::SteadyTime Loop::after(std::chrono::milliseconds duration) const {
    return now_ + kTick + duration;
}

Task<> Loop::give_way() {
    co_await asio::post(io_, asio::use_awaitable);
}

void Loop::start(std::function<void()> on_tick) {
    on_tick_ = std::move(on_tick);
    running_ = true;
    await_events();
    schedule();
}

void Loop::stop() {
    running_ = false;
    timer_.cancel();
    if (waiting_ == 0) ready_.cancel();
}

bool Loop::add(Stream& stream, int descriptor) {
    members_.push_back(stream);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &stream;
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Loop::remove(Stream& stream) {
    for (auto& event : batch_)
        if (event.data.ptr == &stream) event.data.ptr = nullptr;
}

void Loop::wait_begins() {
    ++waiting_;
    await_events();
}

void Loop::wait_ends() {
    if (--waiting_ == 0 && !running_) ready_.cancel();
}

void Loop::await_events() {
    if (armed_ || (!running_ && waiting_ == 0)) return;
    armed_ = true;
    ready_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code ec) {
        if (ec) {
            // Cancelled: by one that found nothing to wait for; there may be something again.
            armed_ = false;
            if (ec == asio::error::operation_aborted && (running_ || waiting_ > 0)) await_events();
            return;
        }
        handle_events();
        armed_ = false;
        await_events();
    });
}

void Loop::handle_events() {
    std::array<epoll_event, kBatch> events;
    for (int handled = 0; handled < kEventsAtOnce;) {
        const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), 0);
        if (count <= 0) return;
        handled += count;
        batch_ = std::span(events).first(static_cast<std::size_t>(count));
        while (!batch_.empty()) {
            const auto event = batch_.front();
            batch_ = batch_.subspan(1);
            if (event.data.ptr != nullptr) static_cast<Stream*>(event.data.ptr)->on_events(event.events);
        }
    }
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
    // A stream never dies in here: the coroutine that owns it is only made ready.
    for (Member& member : members_)
        static_cast<Stream&>(member).on_tick(now_);
    if (++ticks_without_pipe_ == kPipesKeptFor) free_pipes_.clear();
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

std::optional<Pipe> Loop::take_pipe() {
    ticks_without_pipe_ = 0;
    if (!free_pipes_.empty()) {
        auto pipe = std::move(free_pipes_.back());
        free_pipes_.pop_back();
        return pipe;
    }
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return std::nullopt;
    Pipe pipe{base::Descriptor(ends[0]), base::Descriptor(ends[1]), 0};
    // Fewer and larger steps; the system may refuse, and one of the usual size does it, too.
    ::fcntl(ends[1], F_SETPIPE_SZ, kPipeSize);
    const int size = ::fcntl(ends[1], F_GETPIPE_SZ);
    pipe.capacity = size > 0 ? static_cast<std::size_t>(size) : kBlockSize;
    return pipe;
}

void Loop::give_pipe(Pipe pipe) {
    ticks_without_pipe_ = 0;
    if (free_pipes_.size() < kKeptPipes) free_pipes_.push_back(std::move(pipe));
}

std::size_t Loop::open_streams() const {
    return members_.size();
}

}  // namespace agentdb9::http

#include "base/pipe.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>
#include <utility>

namespace agentdb9::base {

struct Pipe::Bell {
    explicit Bell(const asio::any_io_executor& executor) : signal(executor) {}
    Signal signal;
};

Pipe::Pipe(asio::any_io_executor executor, std::size_t capacity)
    : executor_(std::move(executor)), bell_(std::make_shared<Bell>(executor_)), ring_(capacity) {}

Pipe::~Pipe() = default;

std::size_t Pipe::put(std::span<const char> bytes) {
    if (failure_) std::rethrow_exception(failure_);
    const std::size_t start = (first_ + size_) % ring_.size();
    const std::size_t amount = std::min({bytes.size(), ring_.size() - size_, ring_.size() - start});
    std::memcpy(ring_.data() + start, bytes.data(), amount);
    size_ += amount;
    return amount;
}

std::size_t Pipe::take(std::span<char> room) {
    if (failure_) std::rethrow_exception(failure_);
    const std::size_t amount = std::min({room.size(), size_, ring_.size() - first_});
    std::memcpy(room.data(), ring_.data() + first_, amount);
    first_ = (first_ + amount) % ring_.size();
    size_ -= amount;
    return amount;
}

void Pipe::changed(bool awaited, bool wake) {
    if (wake) wake_.notify_all();
    // On the executor nothing happens between a coroutine's look at the ring and its wait, so that no bell is
    // missed.
    if (awaited) asio::post(executor_, [bell = bell_] { bell->signal.notify_all(); });
}

Task<> Pipe::write(std::span<const char> bytes) {
    while (!bytes.empty()) {
        std::size_t moved = 0;
        bool awaited = false, enough = false;
        {
            const std::lock_guard lock(mutex_);
            moved = put(bytes);
            enough = size_ >= wanted_;
            awaited = std::exchange(awaited_, moved == 0);
        }
        bytes = bytes.subspan(moved);
        if (moved > 0) {
            changed(awaited, enough);
        } else {
            co_await bell_->signal.wait();
        }
    }
}

Task<std::size_t> Pipe::read(std::span<char> room) {
    for (;;) {
        std::size_t moved = 0;
        bool ended = false, awaited = false;
        {
            const std::lock_guard lock(mutex_);
            moved = take(room);
            ended = finished_;
            awaited = std::exchange(awaited_, moved == 0 && !ended);
        }
        if (moved > 0) {
            changed(awaited);
            co_return moved;
        }
        if (ended) co_return 0;
        co_await bell_->signal.wait();
    }
}

void Pipe::write_blocking(std::span<const char> bytes) {
    while (!bytes.empty()) {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return failure_ || size_ < ring_.size(); });
        bytes = bytes.subspan(put(bytes));
        const bool awaited = std::exchange(awaited_, false);
        lock.unlock();
        changed(awaited);
    }
}

std::size_t Pipe::read_blocking(std::span<char> room) {
    std::unique_lock lock(mutex_);
    wanted_ = std::min(room.size(), ring_.size() / 4);
    wake_.wait(lock, [&] { return failure_ || size_ >= wanted_ || finished_; });
    wanted_ = 0;
    const auto moved = take(room);
    const bool awaited = moved > 0 && std::exchange(awaited_, false);
    lock.unlock();
    changed(awaited);
    return moved;
}

void Pipe::finish() {
    {
        const std::lock_guard lock(mutex_);
        finished_ = true;
    }
    changed(true);
}

void Pipe::fail(std::exception_ptr reason) {
    {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::move(reason);
    }
    changed(true);
}

}  // namespace agentdb9::base

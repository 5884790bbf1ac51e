#include "proxy/upload.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <cstring>

#include "base/error.hpp"

namespace agentdb9::proxy {

Upload::Upload(std::shared_ptr<asio::io_context> worker, asio::any_io_executor control)
    : worker_(std::move(worker)),
      control_(std::move(control)),
      arrived_(control_),
      woken_(*worker_, asio::steady_timer::time_point::max()),
      ended_timer_(*worker_, asio::steady_timer::time_point::max()) {}

Task<std::size_t> Upload::read(std::span<char> room) {
    while (taken_ == bytes_.size()) {
        if (end_ == End::kWhole) co_return 0;
        if (end_ == End::kBroken) {
            throw base::Error(base::ErrorCode::kInvalid, "body_incomplete",
                              "The request's body broke off before its end: send it again.");
        }
        if (!ended_ && !std::exchange(asked_, true)) {
            asio::post(*worker_, [self = shared_from_this()] {
                self->wanted_ = true;
                self->woken_.cancel();
            });
        }
        co_await arrived_.wait();
    }
    const auto amount = std::min(room.size(), bytes_.size() - taken_);
    std::memcpy(room.data(), bytes_.data() + taken_, amount);
    taken_ += amount;
    co_return amount;
}

Task<bool> Upload::wanted() {
    while (!wanted_ && !stopping_)
        co_await woken_.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return !stopping_ && std::exchange(wanted_, false);
}

void Upload::hand_over(std::string bytes, End end) {
    asio::post(control_, [self = shared_from_this(), piece = std::move(bytes), end]() mutable {
        // An end may come while the last piece is still being taken.
        if (!piece.empty()) {
            self->bytes_ = std::move(piece);
            self->taken_ = 0;
            self->asked_ = false;
        }
        if (end != End::kNone) self->end_ = end;
        self->arrived_.notify_all();
    });
}

void Upload::deliver(std::string bytes) {
    hand_over(std::move(bytes), End::kNone);
}

void Upload::finish() {
    hand_over({}, End::kWhole);
}

void Upload::fail() {
    hand_over({}, End::kBroken);
}

void Upload::stop() {
    stopping_ = true;
    woken_.cancel();
}

void Upload::pump_ended() {
    ended_ = true;
    ended_timer_.cancel();
}

Task<> Upload::stopped() {
    while (!ended_)
        co_await ended_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace agentdb9::proxy

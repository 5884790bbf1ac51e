#include "services/admission_queue.hpp"

#include <algorithm>

namespace agentdb9::services {

AdmissionQueue::AdmissionQueue(asio::any_io_executor executor, std::size_t limit)
    : executor_(std::move(executor)), limit_(limit) {}

AdmissionQueue::Place& AdmissionQueue::Place::operator=(Place&& other) noexcept {
    if (this != &other) {
        release();
        queue_ = std::exchange(other.queue_, nullptr);
    }
    return *this;
}

void AdmissionQueue::Place::release() {
    if (auto* queue = std::exchange(queue_, nullptr)) queue->leave();
}

Task<AdmissionQueue::Place> AdmissionQueue::enter() {
    if (inside_ < limit_) {
        ++inside_;
        co_return Place(this);
    }
    auto waiter = std::make_shared<Waiter>(executor_);
    waiters_.push_back(waiter);
    try {
        while (!waiter->admitted)
            co_await waiter->signal.wait();
    } catch (...) {
        // It may have been admitted in the moment in which it was cancelled: then its place goes on to the
        // next.
        if (waiter->admitted) {
            leave();
        } else {
            std::erase(waiters_, waiter);
        }
        throw;
    }
    co_return Place(this);
}

void AdmissionQueue::leave() {
    if (waiters_.empty()) {
        --inside_;
        return;
    }
    auto next = waiters_.front();
    waiters_.pop_front();
    next->admitted = true;  // the place is handed over: inside_ stays
    next->signal.notify_all();
}

}  // namespace agentdb9::services

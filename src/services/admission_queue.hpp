// How many instances are started at once. Engines slow down badly under many parallel starts, so those above
// the limit wait, first come, first served. Control executor only.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include "base/async.hpp"

namespace agentdb9::services {

class AdmissionQueue {
  public:
    explicit AdmissionQueue(asio::any_io_executor executor, std::size_t limit);

    // Held while an instance is created and started; gives its place to the next one when it dies.
    class Place {
      public:
        explicit Place(AdmissionQueue* queue = nullptr) : queue_(queue) {}
        Place(Place&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)) {}
        Place& operator=(Place&& other) noexcept;
        ~Place() { release(); }
        void release();
        explicit operator bool() const { return queue_ != nullptr; }

      private:
        AdmissionQueue* queue_;
    };

    // Waits for a place. Throws operation_aborted when cancelled; a cancelled waiter leaves the queue.
    Task<Place> enter();
    std::size_t waiting() const { return waiters_.size(); }
    std::size_t inside() const { return inside_; }

  private:
    struct Waiter {
        explicit Waiter(const asio::any_io_executor& executor) : signal(executor) {}
        base::Signal signal;
        bool admitted = false;
    };
    void leave();

    asio::any_io_executor executor_;
    std::size_t limit_;
    std::size_t inside_ = 0;
    std::deque<std::shared_ptr<Waiter>> waiters_;
};

}  // namespace agentdb9::services

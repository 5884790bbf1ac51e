// How much is done at once. Engines slow down badly under many parallel starts, so those above the limit
// wait. Users take turns, so that nobody waits behind another's hundred; each user's own come in their order.
// Control executor only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.hpp"

namespace agentdb9::services {

class AdmissionQueue {
  public:
    explicit AdmissionQueue(asio::any_io_executor executor, std::size_t limit);

    // Held while it is done (an instance created and started); gives its place to the next one when it dies.
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

    struct Visitor {
        std::string whose;  // with whom it shares its turns; all alike: first come, first served
        std::string name;   // by which position() finds it
        // Its place among those of its user: who left the line for a moment comes back to where it stood.
        // 0: at the end.
        std::uint64_t ticket = 0;
    };
    std::uint64_t next_ticket() { return ++tickets_; }

    // Waits for a place. Throws operation_aborted when cancelled; a cancelled waiter leaves the queue.
    Task<Place> enter(Visitor visitor);
    Task<Place> enter() { return enter(Visitor()); }
    std::size_t waiting() const { return waiters_.size(); }
    std::size_t inside() const { return inside_; }
    std::size_t limit() const { return limit_; }

    struct Position {
        std::size_t position = 1;  // 1: the next one
        std::size_t of = 1;
    };
    // Of one that waits, if nobody else comes or leaves.
    std::optional<Position> position(const std::string& name) const;
    // Told of each that still waits when somebody has come or left.
    void on_moved(std::function<void(const std::string& name)> moved) { moved_ = std::move(moved); }

  private:
    struct Waiter {
        Waiter(const asio::any_io_executor& executor, Visitor who)
            : visitor(std::move(who)), signal(executor) {}
        Visitor visitor;
        base::Signal signal;
        bool admitted = false;
    };
    using WaiterPtr = std::shared_ptr<Waiter>;
    void leave();
    void tell_moved() const;
    // As they will be admitted.
    std::vector<WaiterPtr> in_order() const;
    std::uint64_t turn_of(const std::string& whose) const;

    asio::any_io_executor executor_;
    std::size_t limit_;
    std::size_t inside_ = 0;
    std::uint64_t tickets_ = 0;
    std::uint64_t turns_ = 0;
    std::vector<WaiterPtr> waiters_;  // by their tickets
    std::map<std::string, std::uint64_t>
        served_;  // the number of each one's last turn, until nobody is there
    std::function<void(const std::string&)> moved_;
};

}  // namespace agentdb9::services

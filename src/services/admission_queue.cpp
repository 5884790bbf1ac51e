#include "services/admission_queue.hpp"

#include <algorithm>
#include <tuple>

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

Task<AdmissionQueue::Place> AdmissionQueue::enter(Visitor visitor) {
    if (inside_ < limit_) {
        ++inside_;
        served_[visitor.whose] = ++turns_;
        co_return Place(this);
    }
    if (visitor.ticket == 0) visitor.ticket = next_ticket();
    auto waiter = std::make_shared<Waiter>(executor_, std::move(visitor));
    const auto after = std::ranges::upper_bound(waiters_, waiter->visitor.ticket, {},
                                                [](const WaiterPtr& each) { return each->visitor.ticket; });
    waiters_.insert(after, waiter);
    tell_moved();
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
            tell_moved();
        }
        throw;
    }
    co_return Place(this);
}

void AdmissionQueue::leave() {
    if (waiters_.empty()) {
        if (--inside_ == 0) served_.clear();
        return;
    }
    const auto next = in_order().front();
    std::erase(waiters_, next);
    served_[next->visitor.whose] = ++turns_;
    next->admitted = true;  // the place is handed over: inside_ stays
    next->signal.notify_all();
    tell_moved();
}

std::uint64_t AdmissionQueue::turn_of(const std::string& whose) const {
    const auto found = served_.find(whose);
    return found == served_.end() ? 0 : found->second;
}

// Whose turn is the longest ago comes first, and once each before any comes twice: after a round they stand
// in the same order again.
std::vector<AdmissionQueue::WaiterPtr> AdmissionQueue::in_order() const {
    struct Standing {
        std::size_t round;  // how many of its user's come before it
        std::uint64_t turn;
        std::uint64_t first_ticket;  // of its user
        WaiterPtr waiter;
    };
    struct User {
        std::size_t count = 0;
        std::uint64_t first_ticket = 0;
    };
    std::map<std::string, User> users;
    std::vector<Standing> standing;
    standing.reserve(waiters_.size());
    for (const auto& waiter : waiters_) {
        auto& user = users[waiter->visitor.whose];
        if (user.count == 0) user.first_ticket = waiter->visitor.ticket;
        standing.push_back({user.count++, turn_of(waiter->visitor.whose), user.first_ticket, waiter});
    }
    std::ranges::sort(standing, {}, [](const Standing& each) {
        return std::tuple(each.round, each.turn, each.first_ticket);
    });
    std::vector<WaiterPtr> order;
    order.reserve(standing.size());
    for (auto& each : standing)
        order.push_back(std::move(each.waiter));
    return order;
}

std::optional<AdmissionQueue::Position> AdmissionQueue::position(const std::string& name) const {
    const auto order = in_order();
    const auto found =
        std::ranges::find(order, name, [](const WaiterPtr& each) { return each->visitor.name; });
    if (found == order.end()) return std::nullopt;
    return Position{static_cast<std::size_t>(found - order.begin()) + 1, order.size()};
}

void AdmissionQueue::tell_moved() const {
    if (!moved_) return;
    for (const auto& waiter : waiters_)
        moved_(waiter->visitor.name);
}

}  // namespace agentdb9::services

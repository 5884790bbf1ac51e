// Time that passes only when nothing else can happen, so that a deadline of a minute costs no time at all and
// a hang is seen at once. One thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>

#include "base/clock.hpp"

namespace agentdb9::test {

class VirtualClock final : public base::Clock {
  public:
    base::Time now() const override;
    base::SteadyTime steady_now() const override { return now_; }
    Task<> sleep_for(base::Duration duration) override;

    // Goes on to the moment when the next sleeper wakes; false when nobody sleeps.
    bool advance_to_next();
    // Goes on by `duration`; whoever was to wake meanwhile, wakes.
    void advance(base::Duration duration);
    base::Duration elapsed() const;

  private:
    struct Sleeper;
    std::multimap<base::SteadyTime, Sleeper*> sleepers_;
    base::SteadyTime now_{std::chrono::hours(1)};
};

// Runs `context` until `done`, time passing whenever nothing else can happen. False when nothing can happen
// any more: it hangs.
bool drive(asio::io_context& context, VirtualClock& clock, const std::function<bool()>& done);

// Runs the coroutine to its end. Throws std::logic_error when it hangs.
template <class T>
T drive(asio::io_context& context, VirtualClock& clock, Task<T> task) {
    std::exception_ptr failure;
    std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> result;
    bool ended = false;
    if constexpr (std::is_void_v<T>) {
        asio::co_spawn(context, std::move(task), [&](std::exception_ptr error) {
            failure = error;
            ended = true;
        });
    } else {
        asio::co_spawn(context, base::boxed(std::move(task)),
                       [&](std::exception_ptr error, std::optional<T> value) {
                           failure = error;
                           result = std::move(value);
                           ended = true;
                       });
    }
    if (!drive(context, clock, [&] { return ended; })) throw std::logic_error("it hangs");
    if (failure) std::rethrow_exception(failure);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace agentdb9::test

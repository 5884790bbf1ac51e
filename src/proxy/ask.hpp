// How a worker asks the control plane: the question runs on the control executor, the answer comes back by
// value. Asio's own way (co_spawn across executors) cannot be cancelled without a race between the two
// threads.
#pragma once

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "base/async.hpp"
#include "base/log.hpp"

namespace agentdb9::proxy {

// Questions of one worker that have no answer yet. On the worker's thread.
class Questions {
  public:
    // `functions` keeps alive whatever is asked.
    Questions(std::shared_ptr<asio::io_context> worker, asio::any_io_executor control,
              std::shared_ptr<const void> functions)
        : worker_(std::move(worker)), control_(std::move(control)), functions_(std::move(functions)) {}

    // Runs `function(arguments…)`, which returns a Task<T>, on the control executor. Absent when it threw
    // (logged) or was given up. `function` is one of `functions`; the arguments are moved along.
    template <class T, class Function, class... Arguments>
    Task<std::optional<T>> ask(const Function& function, Arguments... arguments);
    // Every open question ends without an answer, at once; its work is cancelled.
    void give_up();

  private:
    struct Pending {
        explicit Pending(const asio::io_context::executor_type& executor)
            : woken(executor, asio::steady_timer::time_point::max()) {}
        virtual ~Pending() = default;
        // The answer may come after the worker has gone.
        std::shared_ptr<asio::io_context> worker;
        std::shared_ptr<const void> functions;
        asio::steady_timer woken;          // worker's thread
        asio::cancellation_signal cancel;  // control's thread
        bool done = false;                 // worker's thread
        std::atomic<bool> given_up = false;
    };
    template <class T>
    struct Question final : Pending {
        using Pending::Pending;
        std::optional<T> answer;  // written by control before it posts, read by the worker after
    };

    template <class T, class Function, class... Arguments>
    static Task<> run(const Function* function, std::shared_ptr<Question<T>> question,
                      Arguments... arguments) {
        question->answer.emplace(co_await (*function)(std::move(arguments)...));
    }

    std::shared_ptr<asio::io_context> worker_;
    asio::any_io_executor control_;
    std::shared_ptr<const void> functions_;
    std::list<std::shared_ptr<Pending>> pending_;
    bool given_up_ = false;
};

template <class T, class Function, class... Arguments>
Task<std::optional<T>> Questions::ask(const Function& function, Arguments... arguments) {
    if (given_up_) co_return std::nullopt;
    auto question = std::make_shared<Question<T>>(worker_->get_executor());
    question->worker = worker_;
    question->functions = functions_;
    auto place = pending_.insert(pending_.end(), question);
    // Spawned from the control thread, so that its signal is touched there only.
    asio::post(
        control_, [control = control_, question,
                   task = std::make_shared<Task<>>(run<T>(&function, question, std::move(arguments)...))] {
            asio::co_spawn(
                control, base::contained(std::move(*task)),
                asio::bind_cancellation_slot(question->cancel.slot(), [question](std::exception_ptr failure) {
                    if (failure && !base::is_cancellation(failure))
                        log::exception("a request failed in the control plane", failure);
                    // Nobody may be there any more to run what is posted, and that would keep its own loop
                    // alive for ever.
                    if (question->given_up) return;
                    asio::post(*question->worker, [question] {
                        question->done = true;
                        question->woken.cancel();
                    });
                }));
        });
    while (!question->done && !given_up_)
        co_await question->woken.async_wait(asio::as_tuple(asio::use_awaitable));
    pending_.erase(place);
    if (!question->done) co_return std::nullopt;
    co_return std::move(question->answer);
}

inline void Questions::give_up() {
    given_up_ = true;
    for (const auto& question : pending_) {
        question->given_up = true;
        question->woken.cancel();
        asio::post(control_, [question] { question->cancel.emit(asio::cancellation_type::terminal); });
    }
}

}  // namespace agentdb9::proxy

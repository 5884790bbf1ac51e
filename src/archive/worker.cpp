#include "archive/worker.hpp"

#include <array>

#include "archive/tar.hpp"

namespace agentdb9::archive {

namespace {

struct BrokenOff : std::exception {
    const char* what() const noexcept override { return "the archive is not wanted any more"; }
};

}  // namespace

Worker::Worker(const asio::any_io_executor& executor) : in(executor), out(executor), end_(executor, 1) {}

Worker::~Worker() {
    stop();
}

void Worker::checkpoint() const {
    if (stopped_) throw BrokenOff();
}

void Worker::stop() {
    stopped_ = true;
    const auto reason = std::make_exception_ptr(BrokenOff());
    in.fail(reason);
    out.fail(reason);
    if (thread_.joinable()) thread_.join();
}

void Worker::start(std::function<void()> work) {
    thread_ = std::jthread([this, work = std::move(work)] {
        try {
            use_utf8_names();
            work();
            out.finish();
            end_.finish();
        } catch (...) {
            const auto reason = std::current_exception();
            in.fail(reason);
            out.fail(reason);
            end_.fail(reason);
        }
    });
}

Task<> Worker::ended() {
    std::array<char, 1> none{};
    co_await end_.read(none);
}

}  // namespace agentdb9::archive

#include "store/postgres/postgres_listener.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

namespace agentdb9::store {
namespace {

// How soon it notices that it should end.
constexpr std::chrono::milliseconds kLook{100};
// How often it makes sure that its session stands (Subscriber::on_present).
constexpr std::chrono::milliseconds kBeat{300};
constexpr std::chrono::milliseconds kPause{300};

}  // namespace

PostgresListener::PostgresListener(std::string url, PostgresLimits limits, std::string server,
                                   Store::Subscriber subscriber)
    : url_(std::move(url)),
      limits_(limits),
      server_(std::move(server)),
      subscriber_(std::move(subscriber)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

PostgresListener::~PostgresListener() = default;

void PostgresListener::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        try {
            follow(stop);
        } catch (const base::Error& error) {
            log::debug("the stream of notices ended", {{"reason", error.what()}});
        }
        std::unique_lock lock(mutex_);
        pause_.wait_for(lock, stop, kPause, [] { return false; });
    }
}

void PostgresListener::follow(const std::stop_token& stop) {
    PostgresConnection connection(url_, limits_, server_);
    connection.take_place();
    auto beat = std::chrono::steady_clock::now();
    Leases(connection).came_back(server_);
    connection.listen();
    subscriber_.on_present(beat);
    subscriber_.on_connected();
    try {
        while (!stop.stop_requested()) {
            for (const auto& text : connection.notices(kLook))
                subscriber_.on_notice(text);
            const auto now = std::chrono::steady_clock::now();
            if (now - beat < kBeat) continue;
            connection.execute("SELECT 1");
            beat = now;
            subscriber_.on_present(beat);
        }
    } catch (const base::Error&) {
        subscriber_.on_lost();
        throw;
    }
}

}  // namespace agentdb9::store

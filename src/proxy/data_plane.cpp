#include "proxy/data_plane.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "proxy/trusted_proxies.hpp"
#include "proxy/worker.hpp"

namespace agentdb9::proxy {
namespace {

constexpr std::chrono::milliseconds kDrainLook{20};

base::Error listen_failed(const std::string& where, const std::string& why) {
    return {base::ErrorCode::kInvalid, "listen_failed", "Cannot listen on " + where + ": " + why + "."};
}

std::string text_of(const ListenAddress& at) {
    auto host = at.address.contains(':') ? "[" + at.address + "]" : at.address;
    return host + ":" + std::to_string(at.port);
}

// Every worker on the same port: the first one finds it.
std::uint16_t listen_all(std::vector<std::unique_ptr<Worker>>& workers, Origin origin, ListenAddress at) {
    bool first = true;
    for (auto& worker : workers) {
        auto port = worker->listen(origin, at, std::exchange(first, false));
        if (!port) throw listen_failed(text_of(at), port.error());
        at.port = *port;
    }
    return at.port;
}

}  // namespace

DataPlane::DataPlane(Options options, ControlPlane control)
    : control_(std::make_shared<const ControlPlane>(std::move(control))),
      options_(std::make_shared<const Options>(std::move(options))) {
    auto trusted = TrustedProxies::parse(options_->trusted_proxies);
    if (!trusted) throw base::invalid_field("server.trustedProxies", trusted.error());
    auto proxies = std::make_shared<const TrustedProxies>(std::move(*trusted));
    const auto workers = std::max<std::size_t>(options_->workers, 1);
    access_log_ = std::make_unique<AccessLog>(options_->access, workers);
    for (std::size_t i = 0; i < workers; ++i)
        workers_.push_back(
            std::make_unique<Worker>(options_, proxies, control_, shared_, access_log_->lane(i)));
    api_port_ = listen_all(workers_, Origin::kApi, options_->api);
    applications_port_ = listen_all(workers_, Origin::kApplications, options_->applications);
    if (options_->operator_socket) {
        auto listening = workers_.front()->listen_operator(*options_->operator_socket);
        if (!listening) throw listen_failed(*options_->operator_socket, listening.error());
    }
}

DataPlane::~DataPlane() {
    stop();
}

std::uint16_t DataPlane::api_port() const {
    return api_port_;
}

std::uint16_t DataPlane::applications_port() const {
    return applications_port_;
}

Metrics DataPlane::metrics() const {
    Metrics sum;
    for (const auto& worker : workers_)
        sum += worker->metrics();
    return sum;
}

void DataPlane::start() {
    started_ = true;
    for (auto& worker : workers_)
        worker->start();
}

void DataPlane::publish(std::shared_ptr<const model::RouteTable> table) {
    for (auto& worker : workers_)
        worker->publish(table);
}

void DataPlane::renew_tls(http::TlsContextPtr api, http::TlsContextPtr applications) {
    for (auto& worker : workers_)
        worker->renew_tls(api, applications);
}

void DataPlane::revoke(auth::Revocation revocation) {
    for (auto& worker : workers_)
        worker->revoke(revocation);
}

Task<> DataPlane::published_everywhere() {
    struct Count {
        Count(const asio::any_io_executor& executor, std::size_t workers)
            : timer(executor, asio::steady_timer::time_point::max()), left(workers) {}
        asio::steady_timer timer;
        std::size_t left;
    };
    auto executor = co_await asio::this_coro::executor;
    auto count = std::make_shared<Count>(executor, workers_.size());
    for (auto& worker : workers_) {
        worker->after_posted([executor, count] {
            asio::post(executor, [count] {
                if (--count->left == 0) count->timer.cancel();
            });
        });
    }
    while (count->left > 0) {
        auto [ec] = co_await count->timer.async_wait(asio::as_tuple(asio::use_awaitable));
        (void)ec;
    }
}

Task<> DataPlane::drain(std::chrono::milliseconds limit) {
    for (auto& worker : workers_)
        worker->drain();
    asio::steady_timer timer(co_await asio::this_coro::executor);
    auto deadline = std::chrono::steady_clock::now() + limit;
    while (metrics().connections_open > 0 && std::chrono::steady_clock::now() < deadline) {
        timer.expires_after(kDrainLook);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    // Not by join(), which would keep this thread from everything else, a second signal too.
    for (auto& worker : workers_)
        worker->stop();
    while (started_ && !std::ranges::all_of(workers_, &Worker::has_ended)) {
        timer.expires_after(kDrainLook);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    stop();
}

void DataPlane::stop() {
    if (!std::exchange(started_, false)) return;
    for (auto& worker : workers_)
        worker->stop();
    for (auto& worker : workers_)
        worker->join();
    // Its last lines are written.
    access_log_.reset();
}

}  // namespace agentdb9::proxy

#include "proxy/upstream_pool.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <set>

namespace agentdb9::proxy {
namespace {

using asio::ip::tcp;

// Only fixed upstreams of the configuration have names; instances have addresses.
Task<std::optional<tcp::endpoint>> resolve(http::Loop& loop, model::Endpoint endpoint,
                                           std::chrono::milliseconds limit) {
    boost::system::error_code ec;
    auto port = static_cast<std::uint16_t>(endpoint.port);
    auto address = asio::ip::make_address(endpoint.host, ec);
    if (!ec) co_return tcp::endpoint(address, port);
    tcp::resolver resolver(loop.io());
    asio::steady_timer timer(loop.io(), limit);
    timer.async_wait([&resolver](boost::system::error_code cancelled) {
        if (!cancelled) resolver.cancel();
    });
    auto [failed, results] = co_await resolver.async_resolve(endpoint.host, std::to_string(port),
                                                             asio::as_tuple(asio::use_awaitable));
    timer.cancel();
    if (failed || results.empty()) co_return std::nullopt;
    co_return results.begin()->endpoint();
}

}  // namespace

std::unique_ptr<http::Stream> UpstreamPool::take(const Target& target, std::chrono::milliseconds max_idle,
                                                 bool certain) {
    auto found = idle_.find(target);
    if (found == idle_.end()) return nullptr;
    auto& kept = found->second;
    std::unique_ptr<http::Stream> taken;
    while (!kept.empty() && !taken) {
        if (loop_.now() - kept.back().since > max_idle) break;  // the others are older still
        Idle newest = std::move(kept.back());
        kept.pop_back();
        if (newest.stream->is_quiet(certain)) taken = std::move(newest.stream);
    }
    if (kept.empty()) idle_.erase(found);
    return taken;
}

Task<http::IoResult<std::unique_ptr<http::Stream>>> UpstreamPool::connect(Target target) {
    auto endpoint = co_await resolve(loop_, target.endpoint, limits_.upstream_connect);
    if (!endpoint) co_return std::unexpected(http::IoError::kReset);
    auto stream = co_await http::Stream::connect(loop_, *endpoint, loop_.after(limits_.upstream_connect));
    if (stream) (*stream)->set_stall_limit(limits_.stall);
    co_return stream;
}

void UpstreamPool::put(const Target& target, std::unique_ptr<http::Stream> stream) {
    auto& kept = idle_[target];
    if (kept.size() >= limits_.upstream_idle_per_endpoint) kept.erase(kept.begin());
    kept.push_back({std::move(stream), loop_.now()});
}

void UpstreamPool::sweep() {
    for (auto it = idle_.begin(); it != idle_.end();) {
        std::erase_if(it->second, [&](const Idle& idle) {
            return loop_.now() - idle.since > limits_.upstream_idle || !idle.stream->is_quiet(false);
        });
        it = it->second.empty() ? idle_.erase(it) : std::next(it);
    }
}

void UpstreamPool::retain(const model::RouteTable& table) {
    if (idle_.empty()) return;
    std::set<std::string_view> present;
    for (const auto& [id, route] : table.routes)
        if (route->state == model::RouteState::kReady) present.insert(route->instance);
    std::erase_if(idle_, [&](const auto& entry) {
        return !entry.first.instance.empty() && !present.contains(entry.first.instance);
    });
}

std::size_t UpstreamPool::size() const {
    std::size_t count = 0;
    for (const auto& [target, kept] : idle_)
        count += kept.size();
    return count;
}

}  // namespace agentdb9::proxy

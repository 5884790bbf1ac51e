#include "proxy/upstream_pool.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <set>

namespace agentdb9::proxy {
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
    // Only fixed upstreams of the configuration have names; instances have addresses.
    const auto& host = target.endpoint.host;
    const auto deadline = loop_.after(limits_.upstream_connect);
    boost::system::error_code no_address;
    NameResolver::Addresses addresses{asio::ip::make_address(host, no_address)};
    if (no_address) {
        auto resolved = co_await resolver_.resolve(host, deadline);
        if (!resolved) co_return std::unexpected(resolved.error());
        addresses = std::move(*resolved);
    }
    http::IoResult<std::unique_ptr<http::Stream>> stream = std::unexpected(http::IoError::kReset);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        // One that says nothing leaves the others their share of the time.
        const auto left = std::max(deadline - loop_.now(), base::SteadyTime::duration::zero());
        const auto share = left / static_cast<std::int64_t>(addresses.size() - i);
        const asio::ip::tcp::endpoint to(addresses[i], static_cast<std::uint16_t>(target.endpoint.port));
        stream = co_await http::Stream::connect(loop_, to, loop_.now() + share);
        const bool next =
            !stream && (stream.error() == http::IoError::kReset || stream.error() == http::IoError::kTimeout);
        if (next) continue;
        if (i > 0 && stream) resolver_.prefer(host, addresses[i]);
        break;
    }
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

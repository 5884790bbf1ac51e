#include "runtime/docker/address_pool.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/network_v4.hpp>

namespace agentdb9::runtime::docker {

namespace ip = boost::asio::ip;

std::optional<AddressPool> AddressPool::make(std::string_view subnet, std::uint64_t start) {
    boost::system::error_code ec;
    const auto network = ip::make_network_v4(std::string(subnet), ec);
    if (ec || network.prefix_length() < 8 || network.prefix_length() > 29) return std::nullopt;
    const std::uint32_t base = network.network().to_uint();
    const std::uint32_t size = std::uint32_t{1} << (32 - network.prefix_length());
    // Not the network's own address, the gateway's (by custom the first), or the broadcast address.
    const std::uint32_t count = size - 3;
    return AddressPool(base + 2, count, static_cast<std::uint32_t>(start % count));
}

std::optional<std::string> AddressPool::choose(const std::set<std::string>& in_use, base::SteadyTime now) {
    std::erase_if(held_back_, [&](const auto& entry) { return entry.second <= now; });
    for (std::uint32_t tried = 0; tried < count_; ++tried) {
        const auto candidate = ip::address_v4(first_ + next_).to_string();
        next_ = (next_ + 1) % count_;
        if (!in_use.contains(candidate) && !held_back_.contains(candidate)) return candidate;
    }
    return std::nullopt;
}

void AddressPool::hold_back(const std::string& address, base::SteadyTime now) {
    held_back_[address] = now + kHeldBack;
}

}  // namespace agentdb9::runtime::docker

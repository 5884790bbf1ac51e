#include "proxy/trusted_proxies.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace agentdb9::proxy {

namespace ip = boost::asio::ip;

namespace {

template <class Network, class Address>
bool contains(const Network& network, const Address& address) {
    return network.canonical() == Network(address, network.prefix_length()).canonical();
}

}  // namespace

std::expected<TrustedProxies, std::string> TrustedProxies::parse(const std::vector<std::string>& list) {
    TrustedProxies proxies;
    for (const auto& text : list) {
        boost::system::error_code ec;
        auto with_length = [&](const char* whole) { return text.contains('/') ? text : text + whole; };
        auto v4 = ip::make_network_v4(with_length("/32"), ec);
        if (!ec) {
            proxies.v4_.push_back(v4);
            continue;
        }
        auto v6 = ip::make_network_v6(with_length("/128"), ec);
        if (ec) return std::unexpected("'" + text + "' is not an address or a prefix like 10.0.0.0/8");
        proxies.v6_.push_back(v6);
    }
    return proxies;
}

bool TrustedProxies::trusts(std::string_view text) const {
    if (v4_.empty() && v6_.empty()) return false;
    boost::system::error_code ec;
    auto address = ip::make_address(text, ec);
    if (ec) return false;
    if (address.is_v4())
        return std::ranges::any_of(v4_,
                                   [&](const auto& network) { return contains(network, address.to_v4()); });
    return std::ranges::any_of(v6_, [&](const auto& network) { return contains(network, address.to_v6()); });
}

std::string TrustedProxies::client(std::string_view peer, std::string_view forwarded_for) const {
    std::string_view client = peer;
    while (trusts(client) && !forwarded_for.empty()) {
        auto comma = forwarded_for.rfind(',');
        auto last = comma == forwarded_for.npos ? forwarded_for : forwarded_for.substr(comma + 1);
        forwarded_for = comma == forwarded_for.npos ? std::string_view() : forwarded_for.substr(0, comma);
        while (last.starts_with(' ') || last.starts_with('\t'))
            last.remove_prefix(1);
        while (last.ends_with(' ') || last.ends_with('\t'))
            last.remove_suffix(1);
        boost::system::error_code ec;
        ip::make_address(last, ec);
        if (ec) break;
        client = last;
    }
    return std::string(client);
}

}  // namespace agentdb9::proxy

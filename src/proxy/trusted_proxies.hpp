// Whose word about a client is believed. Immutable; any thread.
#pragma once

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace agentdb9::proxy {

class TrustedProxies {
  public:
    // Numeric addresses ("192.0.2.7") or prefixes ("10.0.0.0/8"). The error is a sentence.
    static std::expected<TrustedProxies, std::string> parse(const std::vector<std::string>& list);

    bool trusts(std::string_view address) const;
    // The client behind `peer`: the last address of `forwarded_for` that is not a trusted proxy's.
    std::string client(std::string_view peer, std::string_view forwarded_for) const;

  private:
    std::vector<boost::asio::ip::network_v4> v4_;
    std::vector<boost::asio::ip::network_v6> v6_;
};

}  // namespace agentdb9::proxy

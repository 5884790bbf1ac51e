// The kernel's packet filter, by libnftables, which takes nft(8)'s words. Needs CAP_NET_ADMIN in the network
// namespace that it is called in. Blocks for some milliseconds; any thread, one call at a time.
#pragma once

#include <expected>
#include <string>

namespace agentdb9::runtime::docker {

// What it prints, or what it says is wrong. All of `commands` happen, or none.
std::expected<std::string, std::string> run_nft(const std::string& commands);

}  // namespace agentdb9::runtime::docker

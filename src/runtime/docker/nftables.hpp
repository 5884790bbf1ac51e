// The kernel's packet filter, by libnftables, which takes nft(8)'s words. Needs CAP_NET_ADMIN in the network
// namespace that it is first called in. Blocks for some milliseconds; any thread, calls wait for one another.
#pragma once

#include <expected>
#include <string>

namespace agentdb9::runtime::docker {

// Opens its socket, while descriptors are few: it cannot be used with one of 1,024 or more. run_nft() does so
// itself where nobody has; it refuses where that would be too late.
void open_nft();

// What it prints, or what it says is wrong. All of `commands` happen, or none.
std::expected<std::string, std::string> run_nft(const std::string& commands);

}  // namespace agentdb9::runtime::docker

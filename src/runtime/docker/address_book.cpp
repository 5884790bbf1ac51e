#include "runtime/docker/address_book.hpp"

#include "base/error.hpp"

namespace agentdb9::runtime::docker {

void AddressBook::use_subnet(const std::optional<std::string>& subnet, std::uint64_t start) {
    if (subnet == subnet_) return;
    subnet_ = subnet;
    pool_ = subnet ? AddressPool::make(*subnet, start) : std::nullopt;
    address_of_.clear();
}

void AddressBook::reload(const std::map<std::string, std::string>& address_of, base::SteadyTime now) {
    for (const auto& [id, address] : address_of_) {
        if (!address_of.contains(id) && pool_) pool_->hold_back(address, now);
    }
    address_of_ = address_of;
}

std::optional<std::string> AddressBook::choose(base::SteadyTime now) {
    if (!pool_) return std::nullopt;
    std::set<std::string> in_use;
    for (const auto& [id, address] : address_of_)
        in_use.insert(address);
    auto address = pool_->choose(in_use, now);
    if (!address) {
        throw base::conflict("addresses_exhausted",
                             "All addresses of the workspaces' network are in use; stop some workspaces.");
    }
    pool_->hold_back(*address, now);
    return address;
}

void AddressBook::release(const std::string& id, base::SteadyTime now) {
    const auto known = address_of_.find(id);
    if (known == address_of_.end()) return;
    if (pool_) pool_->hold_back(known->second, now);
    address_of_.erase(known);
}

}  // namespace agentdb9::runtime::docker

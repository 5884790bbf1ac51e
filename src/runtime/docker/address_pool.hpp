// Which address the next instance gets. Addresses must not be inherited: an engine gives a dead container's
// address to the next one, and requests meant for the first would reach a stranger. So we choose, walk on
// from the last choice, and keep freed ones back for ten minutes. Pure; the caller says what is in use and
// what time it is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace agentdb9::runtime::docker {

class AddressPool {
  public:
    static constexpr std::chrono::minutes kHeldBack{10};

    // `subnet` as "10.213.0.0/16". `start` chooses where the walk begins, so that installations that share a
    // network begin apart. Absent when it is no IPv4 subnet of /8 to /29.
    static std::optional<AddressPool> make(std::string_view subnet, std::uint64_t start);

    // An address that is in nobody's use and was not for ten minutes; absent when there is none left.
    std::optional<std::string> choose(const std::set<std::string>& in_use, base::SteadyTime now);
    // The engine says that it is taken after all, or an instance that had it is gone.
    void hold_back(const std::string& address, base::SteadyTime now);

  private:
    AddressPool(std::uint32_t first, std::uint32_t count, std::uint32_t next)
        : first_(first), count_(count), next_(next) {}

    std::uint32_t first_;  // the lowest usable one
    std::uint32_t count_;
    std::uint32_t next_;                                 // offset of the next candidate
    std::map<std::string, base::SteadyTime> held_back_;  // until when
};

}  // namespace agentdb9::runtime::docker

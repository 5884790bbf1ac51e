// Who has which address on the workspaces' network, and which one the next instance gets. A stopped container
// keeps its address: it must be able to start again. Pure; the caller says what the engine shows and what
// time it is.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "runtime/docker/address_pool.hpp"

namespace agentdb9::runtime::docker {

class AddressBook {
  public:
    // The subnet that addresses may be chosen from; absent: the engine chooses. Another one than before: what
    // was chosen from the old one means nothing any more.
    void use_subnet(const std::optional<std::string>& subnet, std::uint64_t start);
    // The containers on the network, in any state, with their addresses. Who is not among them is gone.
    void reload(const std::map<std::string, std::string>& address_of, base::SteadyTime now);

    // Absent: the engine chooses. Throws Error{kConflict, "addresses_exhausted"} when none is left. It is not
    // chosen again for ten minutes, whether or not it is noted.
    std::optional<std::string> choose(base::SteadyTime now);
    void note(const std::string& id, const std::string& address) { address_of_[id] = address; }
    // The container is gone, or the engine refused its address: nobody gets it for ten minutes.
    void release(const std::string& id, base::SteadyTime now);

  private:
    std::optional<std::string> subnet_;
    std::optional<AddressPool> pool_;
    std::map<std::string, std::string> address_of_;  // container → address
};

}  // namespace agentdb9::runtime::docker

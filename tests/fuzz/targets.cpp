#include "targets.hpp"

#include <array>

namespace agentdb9::fuzz {

std::span<const Target> targets() {
    static constexpr std::array<Target, 7> kTargets{{{"request", request},
                                                     {"response", response},
                                                     {"chunked", chunked},
                                                     {"cookies", cookies},
                                                     {"door", door},
                                                     {"host", host},
                                                     {"websocket", websocket}}};
    return kTargets;
}

}  // namespace agentdb9::fuzz

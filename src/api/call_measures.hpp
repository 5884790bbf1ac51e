// How the API's endpoints do, for those who operate the server. Control executor.
#pragma once

#include <cstdint>
#include <map>

#include "api/router.hpp"
#include "base/histogram.hpp"

namespace agentdb9::api {

struct CallMeasure {
    base::Histogram took;  // to the head of the answer
    std::map<int, std::uint64_t> by_status;
};

// Those endpoints that were asked for.
using CallMeasures = std::map<const Endpoint*, CallMeasure>;

}  // namespace agentdb9::api

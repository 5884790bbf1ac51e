// Connections to applications that are kept for the next request, one pool a worker. Keyed by endpoint *and*
// instance: an address may pass to another container, a connection must not. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/stream.hpp"
#include "model/instance.hpp"
#include "model/route.hpp"
#include "proxy/limits.hpp"
#include "proxy/name_resolver.hpp"

namespace agentdb9::proxy {

struct Target {
    model::Endpoint endpoint;  // a name for a fixed upstream, else a numeric address
    std::string instance;      // empty for a fixed upstream
    friend auto operator<=>(const Target&, const Target&) = default;
};

struct Upstream {
    std::unique_ptr<http::Stream> stream;
    bool reused = false;
};

class UpstreamPool {
  public:
    UpstreamPool(http::Loop& loop, const Limits& limits,
                 NameResolver::LookUp look_up = NameResolver::system_look_up)
        : loop_(loop), limits_(limits), resolver_(loop.io(), std::move(look_up)) {}

    // An idle connection that is still quiet and was used within `max_idle`; else nothing. `certain`: quiet
    // at this moment, for a request that cannot be sent twice.
    std::unique_ptr<http::Stream> take(const Target& target, std::chrono::milliseconds max_idle,
                                       bool certain);
    // Within the limit for that, which the look-up of a name is a part of. A name's addresses are tried one
    // after the other. kReset: nothing answers there; kTimeout: not in time; kExhausted: we cannot.
    Task<http::IoResult<std::unique_ptr<http::Stream>>> connect(Target target);
    // Only when the exchange before has ended cleanly on both sides.
    void put(const Target& target, std::unique_ptr<http::Stream> stream);

    // Drops connections that the other side closed, that said something, or that were idle for too long.
    void sweep();
    // Drops connections to instances that `table` does not name.
    void retain(const model::RouteTable& table);
    void clear() { idle_.clear(); }
    std::size_t size() const;

  private:
    struct Idle {
        std::unique_ptr<http::Stream> stream;
        base::SteadyTime since;
    };
    http::Loop& loop_;
    const Limits& limits_;
    NameResolver resolver_;
    std::map<Target, std::vector<Idle>> idle_;
};

}  // namespace agentdb9::proxy

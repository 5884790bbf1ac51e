// Addresses of fixed upstreams that have names. The system's look-up blocks for as long as it likes and
// cannot be stopped, so each runs on a thread of its own that nobody waits for: who asks waits until a
// deadline, and an answer that comes after the resolver has gone is dropped. One a worker, on its thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "base/time.hpp"
#include "http/stream.hpp"

namespace agentdb9::proxy {

class NameResolver {
  public:
    using Addresses = std::vector<asio::ip::address>;
    // Blocks; on any thread, several at once. Empty: the name has none. Does not throw.
    using LookUp = std::function<Addresses(const std::string& name)>;
    static Addresses system_look_up(const std::string& name);

    // `io` outlives this.
    NameResolver(asio::io_context& io, LookUp look_up);
    NameResolver(const NameResolver&) = delete;
    NameResolver& operator=(const NameResolver&) = delete;
    // Nobody waits any more.
    ~NameResolver();

    // At least one address. kReset when there is none, kTimeout at `deadline`, kClosed when cancelled. All
    // who ask for a name meanwhile share one look-up, which goes on when they have given up; what it finds is
    // good for some seconds.
    Task<http::IoResult<Addresses>> resolve(std::string name, base::SteadyTime deadline);
    // It is the first of the name's from now on: one before it did not answer.
    void prefer(const std::string& name, const asio::ip::address& address);

  private:
    struct Name {
        Addresses addresses;
        base::SteadyTime good_until = base::SteadyTime::min();
        bool asked = false;  // a look-up runs
        std::list<asio::steady_timer*> waiting;
    };
    struct Mailbox;
    bool ask(const std::string& name);
    void arrived(const std::string& name, Addresses addresses);

    asio::io_context& io_;
    LookUp look_up_;
    std::map<std::string, Name> names_;  // as many as the configuration has
    std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace agentdb9::proxy

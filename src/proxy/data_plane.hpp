// The data plane: it owns every client connection, reads every request head, relays what is for an
// application and hands the rest up. N workers, each a thread with a loop, listeners, an upstream pool and a
// token cache of its own; nothing is shared but the immutable route table and the counts of connections.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/principal.hpp"
#include "http/tls.hpp"
#include "model/route.hpp"
#include "proxy/access_log.hpp"
#include "proxy/connection_counts.hpp"
#include "proxy/control_plane.hpp"
#include "proxy/door.hpp"
#include "proxy/limits.hpp"
#include "proxy/metrics.hpp"
#include "proxy/name_resolver.hpp"

namespace agentdb9::proxy {

class Worker;

struct ListenAddress {
    std::string address;     // numeric: "127.0.0.1", "::"
    std::uint16_t port = 0;  // 0: any free one
};

struct Options {
    std::size_t workers = 1;
    ListenAddress api{"127.0.0.1", 8000};
    ListenAddress applications{"127.0.0.1", 8001};
    std::optional<std::string> operator_socket;  // path; made with mode 0600, replaced when it is there
    // Null: plain HTTP. The operator's socket is always plain.
    http::TlsContextPtr api_tls;
    http::TlsContextPtr applications_tls;
    // "https://host[:port]" as browsers see it, without a slash at the end; empty: what each request's Host
    // says.
    std::string public_url;
    std::string apps_url;
    // Each application at "{port}--{workspace}.{domain}" of the applications' listener, and nowhere else
    // there; lower case. Empty: they share that listener's origin.
    std::string apps_domain;
    // Numeric addresses or prefixes ("10.0.0.0/8") whose X-Forwarded-* are believed and added to.
    std::vector<std::string> trusted_proxies;
    std::vector<Rewrite> rewrites;
    // Of fixed upstreams that have names.
    NameResolver::LookUp look_up = NameResolver::system_look_up;
    Limits limits;
    AccessOptions access;
};

// What the workers share beside the route table: touched when a connection opens or closes.
struct Shared {
    ConnectionCounts by_address;
    ConnectionCounts by_user;
};

class DataPlane {
  public:
    // Binds the listeners; throws base::Error{kInvalid, "listen_failed"} when an address cannot be had.
    // Nothing is accepted before start().
    DataPlane(Options options, ControlPlane control);
    DataPlane(const DataPlane&) = delete;
    DataPlane& operator=(const DataPlane&) = delete;
    ~DataPlane();  // stop(), when that has not happened

    // Where it listens, with the real ports. Any thread.
    std::uint16_t api_port() const;
    std::uint16_t applications_port() const;
    // Every worker's, summed.
    Metrics metrics() const;

    // The calls below: from the control executor.
    void start();
    // Replaces the route table. Before the first one, requests for applications wait as for a workspace that
    // starts. Upgraded connections to instances that `table` no longer names are closed (1012).
    void publish(std::shared_ptr<const model::RouteTable> table);
    // Returns once every worker uses the table published last (or a later one): from then on no new request
    // goes to an instance that it does not name, and InstanceUse counts all that still run.
    Task<> published_everywhere();
    // For connections from now on; those that there are go on with what they have. Only for listeners that
    // began with TLS: whether a listener speaks it does not change.
    void renew_tls(http::TlsContextPtr api, http::TlsContextPtr applications);
    // Drops the credentials that it covers from every cache, and closes (1008) what was opened with them.
    void revoke(auth::Revocation revocation);
    // Stops accepting, lets running requests end for `limit` at most, closes upgraded connections (1001).
    // Then stop().
    Task<> drain(std::chrono::milliseconds limit);
    // Cuts every connection and joins the threads: blocks for as long as that takes, milliseconds.
    void stop();

  private:
    std::shared_ptr<const ControlPlane> control_;
    std::shared_ptr<const Options> options_;
    // Before the workers, who use them until they have ended.
    Shared shared_;
    std::unique_ptr<AccessLog> access_log_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::uint16_t api_port_ = 0;
    std::uint16_t applications_port_ = 0;
    bool started_ = false;
};

}  // namespace agentdb9::proxy

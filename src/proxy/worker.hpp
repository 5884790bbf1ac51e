// One thread of the data plane: its loop, listeners, sessions, upstream pool and token cache. The calls
// marked "any thread" are posted; all others are for the sessions on the worker's own thread.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/intrusive/list.hpp>
#include <expected>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/async.hpp"
#include "http/listener.hpp"
#include "http/loop.hpp"
#include "proxy/ask.hpp"
#include "proxy/data_plane.hpp"
#include "proxy/gateway.hpp"
#include "proxy/large_bodies.hpp"
#include "proxy/token_cache.hpp"
#include "proxy/trusted_proxies.hpp"
#include "proxy/upstream_pool.hpp"

namespace agentdb9::proxy {

class Session;
class Tunnel;

// What a revocation, a new route table or the end of the server may cut short. Known to its worker while it
// lives.
class Ongoing
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  public:
    virtual ~Ongoing() = default;
    virtual void on_revocation(const auth::Revocation& revocation) = 0;
    virtual void on_routes(const model::RouteTable& table) = 0;
    virtual void on_drain() = 0;
    // Once a second.
    virtual void on_time(base::SteadyTime now) = 0;
};

class Worker {
  public:
    Worker(std::shared_ptr<const Options> options, std::shared_ptr<const TrustedProxies> trusted,
           std::shared_ptr<const ControlPlane> control, Shared& shared, AccessLane* access);
    ~Worker();  // after stop()
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Before start(). The error is the system's.
    std::expected<std::uint16_t, std::string> listen(Origin origin, const ListenAddress& at, bool probe);
    std::expected<void, std::string> listen_operator(const std::string& path);
    void start();

    // Any thread.
    void publish(std::shared_ptr<const model::RouteTable> table);
    void renew_tls(http::TlsContextPtr api, http::TlsContextPtr applications);
    void revoke(auth::Revocation revocation);
    void drain();
    // Cuts everything and ends the thread; join() waits for it.
    void stop();
    void join();
    // The thread is about to end; join() does not wait any more. Any thread.
    bool has_ended() const { return ended_; }
    // Calls `done` on the worker's thread after all that was posted before.
    void after_posted(std::function<void()> done);

    http::Loop& loop() { return loop_; }
    const Options& options() const { return *options_; }
    const Limits& limits() const { return options_->limits; }
    const ControlPlane& control() const { return *control_; }
    std::shared_ptr<const ControlPlane> shared_control() const { return control_; }
    const TrustedProxies& trusted() const { return *trusted_; }
    Metrics& metrics() { return metrics_; }
    Shared& shared() { return shared_; }
    // Null when the access log is off.
    AccessLane* access() { return access_; }
    Questions& questions() { return questions_; }
    UpstreamPool& pool() { return pool_; }
    TokenCache& tokens() { return tokens_; }
    Gateway& gateway() { return gateway_; }
    LargeBodies& large_bodies() { return large_bodies_; }
    // What the listener's new connections speak; null: plain HTTP.
    const http::TlsContextPtr& tls(Origin origin) const;
    // The table in force; null before the first.
    const std::shared_ptr<const model::RouteTable>& routes() const { return routes_; }
    // Returns when another table is published, or at `deadline`.
    Task<> next_routes(base::SteadyTime deadline);
    bool draining() const { return draining_; }
    void spawn(std::string name, Task<> task) { scope_.spawn(std::move(name), std::move(task)); }
    void add(Ongoing& ongoing) { ongoing_.push_back(ongoing); }
    void session_ended();
    // Owns it from now on, and starts it.
    void keep(std::shared_ptr<Tunnel> tunnel);
    void end(const Tunnel& tunnel);  // destroys it
    std::shared_ptr<asio::io_context> io() const { return io_; }
    std::string make_request_id();
    base::Time wall_clock() const;

  private:
    void on_tick();
    Task<> accept(http::Listener& listener, Origin origin);
    void admit(std::unique_ptr<http::Stream> stream, Origin origin);
    // A connection over a limit: answers it, while those who are answered are few.
    void refuse(std::unique_ptr<http::Stream> stream, Origin origin, LimitHit limit);
    Task<> turn_away(std::unique_ptr<http::Stream> stream, http::TlsContextPtr tls, LimitHit limit);
    void begin_drain();
    Task<> shut_down();
    template <class Visit>
    void for_each_ongoing(Visit visit);

    std::shared_ptr<const Options> options_;
    std::shared_ptr<const TrustedProxies> trusted_;
    std::shared_ptr<const ControlPlane> control_;
    Metrics metrics_;
    Shared& shared_;
    AccessLane* access_;
    std::shared_ptr<asio::io_context> io_;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
    http::Loop loop_;
    std::vector<std::pair<Origin, std::unique_ptr<http::Listener>>> listeners_;
    http::TlsContextPtr api_tls_;
    http::TlsContextPtr applications_tls_;
    std::shared_ptr<const model::RouteTable> routes_;
    std::list<asio::steady_timer*> holders_;
    UpstreamPool pool_;
    TokenCache tokens_;
    Questions questions_;
    Gateway gateway_;
    LargeBodies large_bodies_;
    boost::intrusive::list<Ongoing, boost::intrusive::constant_time_size<false>> ongoing_;
    std::unordered_map<const Tunnel*, std::shared_ptr<Tunnel>> tunnels_;
    std::size_t connections_ = 0;
    std::size_t turned_away_ = 0;
    bool draining_ = false;
    bool stopping_ = false;
    std::atomic<bool> ended_ = false;
    std::string id_prefix_;
    std::uint64_t next_id_ = 0;
    unsigned ticks_ = 0;
    std::thread thread_;
    base::Scope scope_;
    std::optional<base::Scope> closing_;
};

}  // namespace agentdb9::proxy

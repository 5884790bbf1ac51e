// Bytes both ways after a 101, until either side, a revocation or the end of the instance closes it. It takes
// the two streams over from the session and the relay, which end: without a coroutine and a buffer an idle
// WebSocket costs little more than its sockets. Owned by its worker; lives on its thread.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "http/stream.hpp"
#include "http/websocket.hpp"
#include "proxy/exchange.hpp"
#include "proxy/gateway.hpp"
#include "proxy/worker.hpp"

namespace agentdb9::proxy {

class Tunnel final : public Ongoing,
                     public http::Stream::Watcher,
                     public std::enable_shared_from_this<Tunnel> {
  public:
    struct Ends {
        std::unique_ptr<http::Stream> client;
        std::unique_ptr<http::Stream> upstream;
        // What had come already behind the handshake's heads.
        std::string_view from_client;
        std::string_view from_upstream;
        Account account;
    };
    // Counts as the client's connection from now on.
    Tunnel(Worker& worker, const ToApplication& to, bool websocket, Ends ends);
    ~Tunnel() override;

    // Once, when its worker has it.
    void start();
    // Its deadlines. False when it has ended and is to be destroyed.
    bool on_tick(base::SteadyTime now);

  private:
    // Why it is ended by us, as a WebSocket close code.
    enum class Ending { kNone = 0, kGoingAway = 1001, kRevoked = 1008, kRestart = 1012 };
    enum class State {
        kOpen,
        kUpstreamEnded,  // the client may still say something
        kLingering,      // what the client still sends is of no use to anybody
        kEnded,
    };
    // What one side has taken in and the other has not.
    struct Held {
        std::unique_ptr<char[]> block;
        std::size_t begin = 0;
        std::size_t end = 0;
        base::SteadyTime stalled_at = http::kNever;
        bool empty() const { return begin == end; }
    };

    void on_revocation(const auth::Revocation& revocation) override;
    void on_routes(const model::RouteTable& table) override;
    void on_drain() override;
    void on_time(base::SteadyTime now) override;
    void on_ready() override;

    void go_on();
    void go_on_later();
    // Each true when something has moved.
    bool to_client();
    bool to_upstream();
    bool drain_client();
    // Sends `bytes`, or what is held; what is not taken is held. False when the stream is broken.
    bool pass(http::Stream& to, Held& held, std::string_view bytes);
    void upstream_has_ended();
    void end(Ending ending);
    bool instance_moved() const;
    void count_bytes();
    void log_end();

    Worker& worker_;
    std::shared_ptr<const model::Route> route_;
    PrincipalPtr principal_;
    std::optional<model::Visitor> visitor_;  // absent: the owner
    int port_;
    std::unique_ptr<http::Stream> client_;
    std::unique_ptr<http::Stream> upstream_;
    Account account_;
    Held for_client_;
    Held for_upstream_;
    base::SteadyTime cut_at_ = http::kNever;
    http::WebSocketFrameTracker frames_;  // towards the client
    std::uint64_t epoch_;
    Ending ending_ = Ending::kNone;
    State state_ = State::kOpen;
    bool websocket_;
    bool client_ended_ = false;      // has closed its half
    bool upstream_refuses_ = false;  // takes no more
    bool later_ = false;
};

}  // namespace agentdb9::proxy

// One request on its way to an application and the answer's way back; after a 101, the tunnel that became of
// them. Owned by the coroutines that run it; lives on its worker's thread.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>

#include "http/body.hpp"
#include "http/websocket.hpp"
#include "proxy/gateway.hpp"
#include "proxy/relay_headers.hpp"
#include "proxy/session.hpp"

namespace agentdb9::proxy {

class Relay final : public Ongoing, public std::enable_shared_from_this<Relay> {
  public:
    enum class Outcome {
        kKeep,   // the client's next request may follow
        kClose,  // the connection is over
        kMoved,  // nothing was lost, but the instance has gone: ask the gateway again
    };

    Relay(std::shared_ptr<Session> session, ToApplication to);
    ~Relay() override;

    static Task<Outcome> run(std::shared_ptr<Relay> self);

  private:
    enum class HeadResult { kHead, kNoAnswer, kMalformed, kTimeout, kClientGone };
    // Why a tunnel ends, as a WebSocket close code.
    enum class Ending { kNone = 0, kGoingAway = 1001, kRevoked = 1008, kRestart = 1012 };

    void on_revocation(const auth::Revocation& revocation) override;
    void on_routes(const model::RouteTable& table) override;
    void on_drain() override;
    // The caller may not have it any more.
    void cut_off();

    Task<Outcome> exchange();
    Task<http::IoResult<>> connect(bool fresh);
    Task<HeadResult> ask_upstream();
    Task<HeadResult> read_response_head();
    Task<http::IoResult<>> pass_interim();
    Task<Outcome> fail(HeadResult result);
    Task<Outcome> refuse(int status, std::string code, std::string message);
    bool instance_moved() const;
    bool may_repeat() const;

    void start_pump();
    void watch_client();
    Task<> pump_request();
    Task<> stop_pump();
    std::string end_of_request() const;

    Task<Outcome> pass_response();
    Task<http::IoResult<>> pass_body(http::BodyReader& body, http::BodyReader::Piece first,
                                     ClientFraming framing, std::string head);
    void give_back_upstream(const http::BodyReader& body);

    Task<Outcome> tunnel();
    Task<> tunnel_to_client();
    Task<> tunnel_to_upstream();
    Task<> close_tunnel();
    void end_tunnel(Ending ending);
    void close_both_after(std::chrono::milliseconds limit);

    Worker& worker_;
    std::shared_ptr<Session> session_;
    ToApplication to_;
    http::BodyReader request_body_;
    std::unique_ptr<http::Stream> upstream_;
    std::optional<http::Reader> reader_;  // of upstream_
    bool reused_ = false;
    bool body_sent_ = false;
    http::ResponseHead response_;

    // The request's body, or the client's half of the tunnel, is sent by a coroutine of its own.
    asio::steady_timer pump_ended_;
    bool pump_running_ = false;
    bool pump_stopping_ = false;
    bool request_whole_ = false;
    std::optional<base::SteadyTime> head_deadline_;

    bool tunnelling_ = false;
    bool websocket_ = false;
    http::WebSocketFrameTracker frames_;  // towards the client
    Ending ending_ = Ending::kNone;
    asio::steady_timer cut_;
};

}  // namespace agentdb9::proxy

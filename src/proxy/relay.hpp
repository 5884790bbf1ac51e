// One request on its way to an application and the answer's way back; after a 101 a Tunnel goes on. Owned by
// the coroutines that run it; lives on its worker's thread.
#pragma once

#include <memory>
#include <optional>

#include "http/body.hpp"
#include "proxy/gateway.hpp"
#include "proxy/relay_headers.hpp"
#include "proxy/session.hpp"

namespace agentdb9::proxy {

class Relay final : public Ongoing, public std::enable_shared_from_this<Relay> {
  public:
    enum class Outcome {
        kKeep,       // the client's next request may follow
        kClose,      // the connection is over
        kMoved,      // nothing was lost, but the instance has gone: ask the gateway again
        kTunnelled,  // the connection is a tunnel's now, and the session's no more
    };

    Relay(std::shared_ptr<Session> session, ToApplication to);
    ~Relay() override;

    static Task<Outcome> run(std::shared_ptr<Relay> self);

  private:
    enum class HeadResult { kHead, kNoAnswer, kMalformed, kTimeout, kClientGone };

    void on_revocation(const auth::Revocation& revocation) override;
    void on_routes(const model::RouteTable& table) override;
    void on_drain() override;
    void on_time(base::SteadyTime now) override;
    // The caller may not have it any more.
    void cut_off();
    void note_use();

    Task<Outcome> exchange();
    // A kept connection; false when there is none.
    bool take_kept();
    Task<http::IoResult<>> connect();
    Task<HeadResult> ask_upstream();
    Task<HeadResult> read_response_head();
    Task<http::IoResult<>> pass_interim();
    Task<Outcome> fail(HeadResult result);
    Task<Outcome> refuse_unconnected(http::IoError error);
    HeadResult malformed(http::HeadError why);
    Task<Outcome> refuse(int status, std::string code, std::string message);
    bool instance_moved() const;
    bool may_repeat() const;

    void start_pump();
    void watch_client();
    Task<> pump_request();
    void body_failed(http::IoError error);
    Task<> stop_pump();
    std::string end_of_request() const;

    Task<Outcome> pass_response();
    Task<http::IoResult<>> pass_body(http::BodyReader& body, http::BodyReader::Piece first,
                                     ClientFraming framing, std::string head);
    void give_back_upstream(const http::BodyReader& body);

    Task<Outcome> tunnel();

    Worker& worker_;
    std::shared_ptr<Session> session_;
    ToApplication to_;
    http::BodyReader request_body_;
    std::unique_ptr<http::Stream> upstream_;
    std::optional<http::Reader> reader_;  // of upstream_
    std::uint64_t moved_ = 0;             // bytes of the client's connection, when it was last looked
    bool reused_ = false;
    bool body_sent_ = false;
    http::ResponseHead response_;
    http::HeadError malformed_;  // what is wrong with it

    // The request's body is sent by a coroutine of its own.
    std::optional<base::Signal> pump_ended_;
    bool pump_running_ = false;
    bool pump_stopping_ = false;
    bool request_whole_ = false;
    std::optional<base::SteadyTime> head_deadline_;
    base::SteadyTime asked_at_;  // the application, for the answer
    bool body_stalled_ = false;  // the client's
    bool overdue_ = false;       // the whole request
};

}  // namespace agentdb9::proxy

// One client connection: reads head after head, asks the gateway, and answers, relays or hands up. Owned by
// the coroutine that runs it; lives on its worker's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/body.hpp"
#include "http/head.hpp"
#include "http/message.hpp"
#include "http/stream.hpp"
#include "proxy/exchange.hpp"
#include "proxy/gateway.hpp"
#include "proxy/upload.hpp"
#include "proxy/worker.hpp"

namespace agentdb9::proxy {

class Session final : public Ongoing, public std::enable_shared_from_this<Session> {
  public:
    // `address`: its place among the connections of its address; empty where those are not counted.
    Session(Worker& worker, std::unique_ptr<http::Stream> stream, Origin origin,
            ConnectionCounts::Share address);
    ~Session() override;

    // Until the connection has ended.
    static Task<> run(std::shared_ptr<Session> self);

    // For the relay.
    Worker& worker() { return worker_; }
    http::Stream& stream() { return *stream_; }
    http::Reader& reader() { return reader_; }
    // To a tunnel, which counts as this connection from then on.
    std::unique_ptr<http::Stream> give_stream();
    // After give_stream(): what the tunnel keeps account of from then on.
    Account give_account();
    const http::RequestHead& head() const { return head_; }
    const Client& client() const { return client_; }
    const std::string& request_id() const { return request_id_; }
    Exchange& exchange() { return exchange_; }
    // What was upgraded has no limit of time.
    void lift_time_limit() { overdue_at_ = http::kNever; }
    // Whether the request's time is over; true once.
    bool time_is_over(base::SteadyTime now);
    // Tells a client that waits with its body to go on (RFC 9110 section 10.1.1), once.
    Task<http::IoResult<>> send_continue();
    // The client may still be sending: what it sends is read for a while before the connection ends.
    void linger_at_end() { lingers_ = true; }
    // Answers with a refusal in the form that the client reads. True when the connection may go on.
    Task<bool> refuse(Refusal refusal, http::BodyReader* body);

  private:
    void on_revocation(const auth::Revocation& revocation) override;
    void on_routes(const model::RouteTable& table) override;
    void on_drain() override;
    void on_time(base::SteadyTime now) override;

    // The handshake, where the listener has TLS. False: the connection is over.
    Task<bool> secure(http::TlsContextPtr tls);
    Task<bool> serve_one();
    // Counts this connection as its user's. One of a trusted proxy carries requests of many and is nobody's:
    // of these only what is upgraded counts, which is one client's as long as it lasts. Present: the limit is
    // reached.
    std::optional<LimitHit> count_connection(const ToApplication& to);
    std::optional<LimitHit> count_user(const base::UserId& user, ConnectionCounts::Share& share);
    Task<bool> refuse_for(LimitHit limit, PrincipalPtr principal);
    Task<bool> refuse_slow_body(http::BodyReader& body, LimitHit limit);
    void begin_exchange(RequestKind kind);
    // The request's numbers and its line in the access log.
    void finish_exchange();
    void describe(AccessRecord& record) const;
    void count_bytes();
    // True with a head in head_; else the connection is over (a refusal was sent where there is one).
    Task<bool> read_head();
    Task<bool> wait_for_first_byte();
    Task<bool> refuse_head(http::HeadError error);
    void identify_client();

    Task<bool> hand_up();
    Task<bool> hand_up_streaming();
    http::Request make_request();
    // The control plane's response; where it has none, the client is told so.
    Task<std::optional<http::Response>> ask_api(http::Request request);
    // The same as long as the client is there.
    Task<std::optional<http::Response>> ask_while_there(http::Request request);
    Task<bool> answer(std::optional<http::Response> response, http::BodyReader& body);
    // The request's whole body; absent when the connection is over or the refusal was sent.
    Task<std::optional<std::string>> read_body(http::BodyReader& body, LargeBodies::Share& share, bool& keep);
    Task<bool> redirect(Redirect redirect, http::BodyReader& body);
    Task<bool> respond(http::Response response, http::BodyReader* body);
    Task<bool> stream_pieces(http::Response response, bool chunked);
    // Bytes both ways after a 101 of the control plane's.
    Task<bool> converse(http::Response response);
    Task<> listen(std::shared_ptr<const http::Response> to, Questions& questions, bool& listening,
                  asio::steady_timer& ended);
    // As far as a revocation looks at it; absent: nobody in particular.
    static std::optional<auth::Principal> principal_of(const http::Caller& caller);
    void end_conversation(std::uint16_t code, std::string_view reason);
    void cut_off_pieces();
    Task<> pump(std::shared_ptr<Upload> upload, http::BodyReader& body);
    // Whether the next request may follow: the rest of a small body is read first.
    Task<bool> can_continue(http::BodyReader* body);
    // Lets a client that still sends read our answer before the connection ends.
    Task<> linger();

    Worker& worker_;
    std::unique_ptr<http::Stream> stream_;
    http::Reader reader_;
    http::RequestHead head_;
    Client client_;
    std::string request_id_;
    Questions* streaming_ = nullptr;  // while a response comes piece by piece
    std::optional<auth::Principal> streaming_to_;
    bool conversing_ = false;  // what streams is a conversation
    std::string farewell_;     // its close frame, where we end it
    base::SteadyTime conversation_cut_at_ = http::kNever;
    std::uint64_t asked_at_epoch_ = 0;  // of revocations
    bool idle_ = true;
    bool continue_sent_ = false;
    bool lingers_ = false;
    bool given_ = false;

    Exchange exchange_;
    ConnectionShares shares_;           // this connection's
    ConnectionShares upgraded_shares_;  // of a request through a trusted proxy that asks for an upgrade
    std::optional<base::UserId> counted_user_;
    base::SteadyTime overdue_at_ = http::kNever;
    bool overdue_ = false;
    bool reading_body_ = false;
    bool relaying_ = false;
    std::uint64_t bytes_in_counted_ = 0;
    std::uint64_t bytes_out_counted_ = 0;
};

}  // namespace agentdb9::proxy

// The request's way to the application: a connection, the head, the body.
#include <boost/asio/this_coro.hpp>

#include "proxy/relay.hpp"
#include "proxy/splice.hpp"

namespace agentdb9::proxy {
namespace {

// A request that cannot be sent twice goes to a kept connection only when that was in use a moment ago: its
// application may be about to close it.
constexpr std::chrono::milliseconds kFreshlyIdle{1'000};
// Pieces of a body in a row, before others have their turn.
constexpr int kPieces = 16;

}  // namespace

bool Relay::take_kept() {
    const bool twice = may_repeat();
    const auto max_idle = twice ? worker_.limits().upstream_idle : kFreshlyIdle;
    auto kept = worker_.pool().take(to_.target, max_idle, !twice);
    if (!kept) return false;
    upstream_ = std::move(kept);
    reader_.emplace(*upstream_);
    reused_ = true;
    ++worker_.metrics().upstream_reuses;
    return true;
}

Task<http::IoResult<>> Relay::connect() {
    reader_.reset();
    upstream_.reset();
    reused_ = false;
    ++worker_.metrics().upstream_connects;
    const auto began = std::chrono::steady_clock::now();
    auto connected = co_await worker_.pool().connect(to_.target);
    if (!connected) co_return std::unexpected(connected.error());
    session_->exchange().connect = std::chrono::steady_clock::now() - began;
    worker_.metrics().upstream_connect_time.record(session_->exchange().connect);
    upstream_ = std::move(*connected);
    reader_.emplace(*upstream_);
    co_return http::IoResult<>();
}

Task<Relay::Outcome> Relay::refuse_unconnected(http::IoError error) {
    if (error == http::IoError::kExhausted)
        co_return co_await refuse(
            503, "unavailable",
            "The server has no descriptors, memory or port numbers left for another "
            "connection. Try again in a moment; its operator may raise the limit of open "
            "files.");
    const bool late = error == http::IoError::kTimeout;
    if (late) worker_.metrics().hit(LimitHit::kUpstreamConnect);
    std::string message;
    if (to_.route) {
        message = "Nothing answers on port " + std::to_string(to_.port) + " of the workspace" +
                  (late ? " in time" : "") +
                  ". If it was started a moment ago, try again; else look whether the application runs there "
                  "(the workspace's log, a restart), and listens on all addresses, not on 127.0.0.1 alone.";
    } else {
        message = std::string("The server that this path leads to does not answer") +
                  (late ? " in time" : "") +
                  ". Try again; if that goes on, tell the operator, who has set it under [rewrites].";
    }
    if (late) co_return co_await refuse(504, "upstream_timeout", std::move(message));
    co_return co_await refuse(502, "upstream_unreachable", std::move(message));
}

Task<Relay::HeadResult> Relay::ask_upstream() {
    const auto& client = session_->client();
    Forwarding forwarding;
    forwarding.peer = client.peer;
    forwarding.trusted_peer = client.trusted_peer;
    forwarding.scheme = client.scheme;
    forwarding.prefix = to_.prefix;
    std::string host;
    if (session_->head().host.empty())
        host = to_.target.endpoint.host + ":" + std::to_string(to_.target.endpoint.port);
    forwarding.host = host;
    forwarding.pass_authorization = to_.pass_authorization;
    forwarding.upgrade = to_.upgrade;
    forwarding.request_id = session_->request_id();
    auto head = upstream_request_head(session_->head(), to_.upstream_target, forwarding);
    // What is here of the body goes along with the head.
    auto piece = request_body_.available();
    if (!piece) co_return HeadResult::kClientGone;
    auto end = request_body_.done() ? end_of_request() : std::string();
    std::array<std::string_view, 3> parts{head, piece->bytes, end};
    body_sent_ = body_sent_ || !piece->bytes.empty();
    asked_at_ = std::chrono::steady_clock::now();
    auto sent = upstream_->try_send(parts);
    if (sent && !http::is_sent(parts)) sent = co_await upstream_->send(parts);
    request_body_.consume(*piece);
    if (!sent)
        co_return sent.error() == http::IoError::kTimeout ? HeadResult::kTimeout : HeadResult::kNoAnswer;
    // The upstream takes the request, so the client may send what it holds back.
    if (!request_body_.done() && !co_await session_->send_continue()) co_return HeadResult::kClientGone;
    start_pump();
    co_return co_await read_response_head();
}

std::string Relay::end_of_request() const {
    if (session_->head().framing.kind != http::Framing::Kind::kChunked) return {};
    return passable_trailers(request_body_.trailers()) + "\r\n";
}

void Relay::start_pump() {
    if (!request_body_.done()) {
        pump_running_ = true;
        body_sent_ = true;
        // One that takes nothing is not waited for when the client is gone.
        session_->stream().watch_loss([this] {
            if (upstream_) upstream_->close(http::IoError::kReset);
        });
        worker_.spawn("request body", [](std::shared_ptr<Relay> self) -> Task<> {
            co_await asio::this_coro::throw_if_cancelled(false);
            co_await self->pump_request();
            self->pump_running_ = false;
            if (self->pump_ended_) self->pump_ended_->notify_all();
            if (self->pump_stopping_) co_return;
            self->watch_client();
            // Whoever waits for the answer's head has a deadline from now on.
            self->upstream_->interrupt();
        }(shared_from_this()));
        return;
    }
    request_whole_ = true;
    watch_client();
}

// From here on nobody reads from the client.
void Relay::watch_client() {
    session_->stream().watch_peer([this] {
        if (upstream_) upstream_->close(http::IoError::kReset);
    });
}

Task<> Relay::pump_request() {
    for (int pieces = 1; !request_body_.done(); ++pieces) {
        if (pieces % kPieces == 0) co_await worker_.loop().give_way();
        if (request_body_.outstanding() >= kLargeBody && can_splice(session_->stream(), *upstream_)) {
            const auto passed =
                co_await splice_body(session_->stream(), *upstream_, request_body_, worker_.limits().stall);
            if (pump_stopping_ || passed.end == Spliced::End::kToFailed) co_return;
            if (passed.end == Spliced::End::kFromFailed) co_return body_failed(passed.error);
            continue;
        }
        auto piece = co_await request_body_.next(worker_.loop().after(worker_.limits().stall));
        if (pump_stopping_) co_return;
        if (!piece) co_return body_failed(piece.error());
        auto end = request_body_.done() ? end_of_request() : std::string();
        std::array<std::string_view, 2> parts{piece->bytes, end};
        auto sent = co_await upstream_->send(parts);
        // An upstream that takes no more may still have answered.
        if (!sent || pump_stopping_) co_return;
        request_body_.consume(*piece);
        if (!end.empty()) break;
    }
    request_whole_ = true;
}

// Cut short, too slow or malformed: the upstream must not take what it has for the whole.
void Relay::body_failed(http::IoError error) {
    body_stalled_ = error == http::IoError::kTimeout;
    if (request_body_.malformed().empty() && !body_stalled_) session_->stream().close(http::IoError::kReset);
    upstream_->close(http::IoError::kReset);
}

Task<> Relay::stop_pump() {
    if (!pump_running_) co_return;
    pump_stopping_ = true;
    session_->stream().interrupt();
    if (upstream_) upstream_->close();
    pump_ended_.emplace(worker_.loop().io().get_executor());
    while (pump_running_)
        co_await pump_ended_->wait();
    session_->stream().forget_interrupt();
}

}  // namespace agentdb9::proxy

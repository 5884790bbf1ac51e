#include "proxy/relay.hpp"

#include <boost/asio/this_coro.hpp>

#include "http/message.hpp"
#include "proxy/splice.hpp"
#include "proxy/tunnel.hpp"

namespace agentdb9::proxy {
namespace {

// Interim answers before the answer.
constexpr int kMaxInterim = 32;
// Pieces of a body in a row, before others have their turn.
constexpr int kPieces = 16;

bool is_whole(const http::Framing& framing, const http::BodyReader::Piece& piece) {
    return framing.kind == http::Framing::Kind::kNone ||
           (framing.kind == http::Framing::Kind::kLength && piece.used == framing.length);
}

}  // namespace

Relay::Relay(std::shared_ptr<Session> session, ToApplication to)
    : worker_(session->worker()),
      session_(std::move(session)),
      to_(std::move(to)),
      request_body_(session_->reader(), session_->head().framing, http::BodyReader::Form::kAsSent) {
    worker_.add(*this);
    ++worker_.metrics().relays_in_flight;
    if (to_.route && to_.route->use) ++to_.route->use->requests_in_flight;
    note_use();
}

Relay::~Relay() {
    --worker_.metrics().relays_in_flight;
    note_use();
    if (to_.route && to_.route->use) --to_.route->use->requests_in_flight;
}

void Relay::note_use() {
    if (to_.route && to_.route->use) model::mark_use(to_.route->use->last_request_ms, worker_.loop().now());
}

Task<Relay::Outcome> Relay::run(std::shared_ptr<Relay> self) {
    auto outcome = co_await self->exchange();
    if (outcome == Outcome::kTunnelled) co_return outcome;
    if (self->pump_running_) co_await self->stop_pump();
    self->session_->stream().watch_peer({});
    co_return outcome;
}

void Relay::on_revocation(const auth::Revocation& revocation) {
    if (revocation.covers(*to_.principal)) cut_off();
}

void Relay::cut_off() {
    session_->stream().close();
    if (upstream_) upstream_->close();
}

void Relay::on_routes(const model::RouteTable& table) {
    if (to_.visitor && !to_.is_shared(table, worker_.wall_clock())) cut_off();
}

void Relay::on_drain() {}

void Relay::on_time(base::SteadyTime now) {
    // One that waits without a byte uses nothing.
    const auto moved = session_->stream().bytes_received() + session_->stream().bytes_sent();
    if (std::exchange(moved_, moved) != moved) note_use();
    if (auth::has_ended(*to_.principal, worker_.wall_clock())) return cut_off();
    if (!upstream_ || !session_->time_is_over(now)) return;
    overdue_ = true;
    upstream_->close(http::IoError::kTimeout);
    // Before the answer has begun the client hears why.
    if (session_->exchange().status != 0) session_->stream().close();
}

bool Relay::instance_moved() const {
    if (!to_.route || !worker_.routes()) return false;
    auto found = worker_.routes()->routes.find(to_.route->workspace);
    return found == worker_.routes()->routes.end() || found->second->state != model::RouteState::kReady ||
           found->second->instance != to_.route->instance;
}

bool Relay::may_repeat() const {
    return !body_sent_ && request_body_.done() && http::is_idempotent(session_->head().method);
}

Task<Relay::Outcome> Relay::exchange() {
    // 1. What was revoked while the request waited is not relayed any more.
    if (worker_.tokens().revoked_since(to_.epoch, *to_.principal))
        co_return co_await refuse(401, "unauthenticated", "This sign-in has ended. Sign in again.");

    // 2. A connection, the head on it, and the answer's head. A kept connection that turns out to be dead is
    // replaced once.
    HeadResult result = HeadResult::kNoAnswer;
    for (bool fresh : {false, true}) {
        auto connected = fresh || !take_kept() ? co_await connect() : http::IoResult<>();
        if (!connected) {
            if (!body_sent_ && instance_moved()) co_return Outcome::kMoved;
            co_return co_await refuse_unconnected(connected.error());
        }
        // Whoever has gone meanwhile, or was cut off, asks no application any more.
        if (!session_->stream().is_open()) co_return co_await fail(HeadResult::kClientGone);
        result = co_await ask_upstream();
        if (result != HeadResult::kNoAnswer || !reused_ || !may_repeat()) break;
        ++worker_.metrics().upstream_retries;
    }
    if (result == HeadResult::kNoAnswer && may_repeat() && instance_moved()) co_return Outcome::kMoved;
    if (result != HeadResult::kHead) co_return co_await fail(result);

    // 3. The answer, or the tunnel.
    auto& known = session_->exchange();
    known.status = response_.status;
    known.first_byte = std::chrono::steady_clock::now() - asked_at_;
    worker_.metrics().upstream_first_byte_time.record(known.first_byte);
    if (response_.status == 101) session_->lift_time_limit();
    if (response_.status == 101) co_return co_await tunnel();
    co_return co_await pass_response();
}

// Both streams go on without this relay and its session.
Task<Relay::Outcome> Relay::tunnel() {
    auto& client = session_->stream();
    client.watch_peer({});
    const auto head = client_interim_head(response_, session_->request_id());
    if (!co_await client.send(head)) co_return Outcome::kClose;
    const bool websocket = http::list_has(response_.get("Upgrade").value_or(to_.upgrade), "websocket");
    auto tunnel = std::make_shared<Tunnel>(
        worker_, to_, websocket,
        Tunnel::Ends{session_->give_stream(), std::move(upstream_), session_->reader().data(),
                     reader_->data(), session_->give_account()});
    session_->reader().consume(session_->reader().data().size());
    reader_->consume(reader_->data().size());
    reader_.reset();
    worker_.keep(std::move(tunnel));
    co_return Outcome::kTunnelled;
}

Task<Relay::HeadResult> Relay::read_response_head() {
    std::size_t searched = 0;
    int interim = 0;
    while (true) {
        auto data = reader_->data();
        auto end = http::find_head_end(data, searched);
        if (!end) co_return malformed(end.error());
        if (*end) {
            std::string text(data.substr(0, **end));
            reader_->consume(**end);
            searched = 0;
            if (auto why = http::parse_response_head(std::move(text), session_->head().method, response_))
                co_return malformed(*why);
            if (response_.status == 101 && to_.upgrade.empty())
                co_return malformed({400, "101 to a request that asked for no upgrade"});
            if (response_.status >= 200 || response_.status == 101) co_return HeadResult::kHead;
            if (++interim > kMaxInterim)
                co_return malformed({400, "more interim answers than are passed on"});
            if (!co_await pass_interim()) co_return HeadResult::kClientGone;
            continue;
        }
        searched = data.size();
        if (!pump_running_ && !head_deadline_)
            head_deadline_ = worker_.loop().after(worker_.limits().upstream_head);
        http::IoResult<> filled;
        const auto there = reader_->try_fill();
        if (!there) filled = std::unexpected(there.error());
        if (there && !*there)
            filled = co_await upstream_->wait_readable(head_deadline_.value_or(http::kNever));
        if (filled || filled.error() == http::IoError::kCancelled) continue;
        if (filled.error() == http::IoError::kTimeout) co_return HeadResult::kTimeout;
        if (!session_->stream().is_open() || !request_body_.malformed().empty())
            co_return HeadResult::kClientGone;
        if (searched == 0) co_return HeadResult::kNoAnswer;
        co_return malformed({400, "it ends within its head"});
    }
}

Task<http::IoResult<>> Relay::pass_interim() {
    // The expectation was answered already; HTTP/1.0 knows no interim answers (RFC 9110 section 15.2).
    if (response_.status == 100 || session_->head().minor_version == 0) co_return http::IoResult<>();
    auto head = client_interim_head(response_, session_->request_id());
    co_return co_await session_->stream().send(head);
}

Task<Relay::Outcome> Relay::fail(HeadResult result) {
    co_await stop_pump();
    if (!request_body_.malformed().empty())
        co_return co_await refuse(400, "bad_request",
                                  "The request is refused: " + std::string(request_body_.malformed()) + ".");
    if (result == HeadResult::kClientGone || !session_->stream().is_open()) {
        ++worker_.metrics().requests_aborted;
        co_return Outcome::kClose;
    }
    if (body_stalled_) {
        worker_.metrics().hit(LimitHit::kBody);
        co_return co_await refuse(408, "request_timeout",
                                  "The request is refused: its body did not arrive in time.");
    }
    if (result == HeadResult::kTimeout && !overdue_) worker_.metrics().hit(LimitHit::kUpstreamHead);
    if (result == HeadResult::kTimeout)
        co_return co_await refuse(504, "upstream_timeout",
                                  "The application took too long to answer. Try again; if that goes on, "
                                  "restart the workspace.");
    if (result == HeadResult::kMalformed && malformed_.status == 431)
        co_return co_await refuse(
            502, "upstream_invalid",
            "The application's answer is larger before its body than what is passed on, "
            "32 KB and 200 fields: " +
                std::string(malformed_.reason) + ". Let it set fewer or shorter cookies and header fields.");
    if (result == HeadResult::kMalformed)
        co_return co_await refuse(
            502, "upstream_invalid",
            "The application's answer is not valid HTTP: " + std::string(malformed_.reason) +
                ". Does something else than a web server listen on this port?");
    co_return co_await refuse(502, "upstream_unreachable",
                              "The application closed the connection without an answer. Try again; its log "
                              "may say why.");
}

Relay::HeadResult Relay::malformed(http::HeadError why) {
    malformed_ = why;
    return HeadResult::kMalformed;
}

Task<Relay::Outcome> Relay::refuse(int status, std::string code, std::string message) {
    session_->stream().watch_peer({});
    Refusal refusal;
    refusal.problem = {status, std::move(code), std::move(message), {}};
    if (status == 401) refusal.www_authenticate = "Bearer";
    if (status == 503) refusal.retry_after_seconds = 2;
    bool keep = co_await session_->refuse(std::move(refusal), &request_body_);
    co_return keep ? Outcome::kKeep : Outcome::kClose;
}

Task<Relay::Outcome> Relay::pass_response() {
    using Kind = http::Framing::Kind;
    const auto& request = session_->head();
    bool old_client = request.minor_version == 0;
    auto framing = ClientFraming::kAsIs;
    if (response_.framing.kind == Kind::kUntilClose)
        framing = old_client ? ClientFraming::kUntilClose : ClientFraming::kChunked;
    if (response_.framing.kind == Kind::kChunked && old_client) framing = ClientFraming::kUntilClose;
    // An early refusal: the rest of the body will not be read.
    bool early = pump_running_ && response_.status >= 400;
    bool keep = request.keep_alive && !worker_.draining() && framing != ClientFraming::kUntilClose && !early;
    std::string_view connection = !keep ? "close" : old_client ? "keep-alive" : "";
    Confinement confinement{to_.prefix, to_.prefix_stripped, session_->client().origin == Origin::kApi,
                            to_.own_origin};
    auto head = client_response_head(response_, confinement, framing, connection, session_->request_id());

    auto form =
        framing == ClientFraming::kAsIs ? http::BodyReader::Form::kAsSent : http::BodyReader::Form::kDecoded;
    http::BodyReader body(*reader_, response_.framing, form);
    auto first = body.available();
    // Nothing has been said to the client yet.
    if (!first) co_return co_await fail(malformed({400, "its body is malformed"}));
    // The client must not take what it has for the whole. Where only the end of the connection tells, that
    // end is a reset, whoever of us brings it about; but for the good one.
    const bool end_tells = framing == ClientFraming::kUntilClose;
    if (end_tells) session_->stream().reset_at_close();
    http::IoResult<> passed;
    if (framing == ClientFraming::kAsIs && is_whole(response_.framing, *first)) {
        // Most answers: all of it is here, and goes at once.
        std::array<std::string_view, 2> parts{head, first->bytes};
        passed = session_->stream().try_send(parts);
        if (passed && !http::is_sent(parts)) passed = co_await session_->stream().send(parts);
        if (passed) body.consume(*first);
    } else {
        passed = co_await pass_body(body, *first, framing, std::move(head));
    }
    if (passed && end_tells) session_->stream().reset_at_close(false);
    if (!passed) {
        session_->stream().close(http::IoError::kReset);
        session_->exchange().aborted = true;
        ++worker_.metrics().requests_aborted;
        co_return Outcome::kClose;
    }
    ++worker_.metrics().requests_relayed;
    if (!request_whole_) {
        co_await stop_pump();
        session_->linger_at_end();
        co_return Outcome::kClose;
    }
    give_back_upstream(body);
    co_return keep ? Outcome::kKeep : Outcome::kClose;
}

Task<http::IoResult<>> Relay::pass_body(http::BodyReader& body, http::BodyReader::Piece first,
                                        ClientFraming framing, std::string head) {
    auto& client = session_->stream();
    bool as_sent_chunks =
        framing == ClientFraming::kAsIs && response_.framing.kind == http::Framing::Kind::kChunked;
    // The head goes along with what has come of the body.
    http::IoResult<http::BodyReader::Piece> piece = first;
    for (int pieces = 1;; ++pieces) {
        bool wrap = framing == ClientFraming::kChunked && !piece->bytes.empty();
        auto size = wrap ? http::chunk_header(piece->bytes.size()) : std::string();
        std::string end = wrap ? "\r\n" : "";
        if (body.done() && framing == ClientFraming::kChunked) end += "0\r\n\r\n";
        if (body.done() && as_sent_chunks) end += passable_trailers(body.trailers()) + "\r\n";
        std::array<std::string_view, 4> parts{head, size, piece->bytes, end};
        auto sent = client.try_send(parts);
        if (sent && !http::is_sent(parts)) sent = co_await client.send(parts);
        if (!sent) co_return sent;
        body.consume(*piece);
        head.clear();
        if (body.done()) co_return http::IoResult<>();
        if (body.outstanding() >= kLargeBody && can_splice(*upstream_, client)) {
            Spliced passed;
            do {
                passed = co_await splice_body(*upstream_, client, body, std::nullopt);
            } while (passed.end == Spliced::End::kInterrupted);
            if (passed.end != Spliced::End::kWhole) co_return std::unexpected(passed.error);
            co_return http::IoResult<>();
        }
        if (pieces % kPieces == 0) co_await worker_.loop().give_way();
        do {
            piece = co_await body.next(http::kNever);
        } while (!piece && piece.error() == http::IoError::kCancelled);
        if (!piece) co_return std::unexpected(piece.error());
    }
}

void Relay::give_back_upstream(const http::BodyReader& body) {
    bool clean = body.done() && response_.framing.kind != http::Framing::Kind::kUntilClose &&
                 response_.keep_alive && reader_->data().empty() && upstream_->is_open() && !pump_running_;
    reader_.reset();
    if (!clean) return upstream_.reset();
    upstream_->forget_interrupt();
    worker_.pool().put(to_.target, std::move(upstream_));
}

}  // namespace agentdb9::proxy

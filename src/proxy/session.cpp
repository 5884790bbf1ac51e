#include "proxy/session.hpp"

#include <algorithm>
#include <boost/asio/recycling_allocator.hpp>
#include <boost/asio/this_coro.hpp>

#include "proxy/relay.hpp"

namespace agentdb9::proxy {
namespace {

constexpr std::uint16_t kGoingAway = 1001;  // RFC 6455 section 7.4.1
constexpr std::size_t kMaxRequestId = 64;
constexpr std::size_t kFieldsKept = 32;
// Pieces of a body in a row, before others have their turn.
constexpr int kPieces = 16;

bool is_sane_id(std::string_view id) {
    return !id.empty() && id.size() <= kMaxRequestId && std::ranges::all_of(id, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
               c == '_' || c == '.';
    });
}

}  // namespace

Session::Session(Worker& worker, std::unique_ptr<http::Stream> stream, Origin origin,
                 ConnectionCounts::Share address)
    : worker_(worker), stream_(std::move(stream)), reader_(*stream_), shares_{std::move(address), {}} {
    client_.origin = origin;
    client_.peer = stream_->peer_address();
    client_.trusted_peer = worker_.trusted().trusts(client_.peer);
    stream_->set_stall_limit(worker_.limits().stall);
    worker_.add(*this);
}

Session::~Session() {
    if (given_) return;
    count_bytes();
    // Who sees that the connection has ended may count on its place.
    shares_ = {};
    worker_.session_ended();
}

Task<> Session::run(std::shared_ptr<Session> self) {
    // A worker that stops closes the streams: every wait then ends with an error, none by an exception.
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto& tls = self->worker_.tls(self->client_.origin);
    for (bool goes_on = !tls || co_await self->secure(tls); goes_on;) {
        goes_on = co_await self->serve_one();
        self->finish_exchange();
        // Who sends request after request, and takes the answers, does not keep the others waiting.
        if (goes_on && !self->reader_.data().empty()) co_await self->worker_.loop().give_way();
    }
    if (self->given_) co_return;
    if (self->lingers_ || !self->reader_.data().empty()) co_await self->linger();
    if (self->stream_->is_secure()) co_await self->stream_->finish();
    self->stream_->close();
}

Task<bool> Session::secure(http::TlsContextPtr tls) {
    const auto deadline = worker_.loop().after(worker_.limits().head);
    auto& metrics = worker_.metrics();
    while (true) {
        const auto first = stream_->try_peek();
        if (first && !*first) {
            if (co_await stream_->wait_readable(deadline)) continue;
            // One that said nothing at all, like a look at whether the port is open, has not failed at it.
            co_return false;
        }
        if (!first) co_return false;
        if (http::begins_tls(**first)) break;
        ++metrics.tls_handshakes_failed;
        // A method's first letter, or the empty line before it.
        const bool http = (**first >= 'A' && **first <= 'Z') || **first == '\r' || **first == '\n';
        if (!http) co_return false;
        co_await refuse_head({400, "this port speaks HTTPS only; use https:// instead of http://"});
        finish_exchange();
        co_return false;
    }
    if (co_await stream_->start_tls(std::move(tls), deadline)) {
        ++metrics.tls_handshakes;
        co_return true;
    }
    ++metrics.tls_handshakes_failed;
    co_return false;
}

std::unique_ptr<http::Stream> Session::give_stream() {
    given_ = true;
    return std::move(stream_);
}

void Session::on_revocation(const auth::Revocation& revocation) {
    if (streaming_ && streaming_to_ && revocation.covers(*streaming_to_)) cut_off_pieces();
}

void Session::on_routes(const model::RouteTable&) {}

void Session::on_drain() {
    if (idle_ && !given_) stream_->close();
    if (conversing_)
        end_conversation(kGoingAway, "the server is going away");
    else if (streaming_)
        streaming_->give_up();
}

Task<bool> Session::serve_one() {
    lingers_ = false;
    continue_sent_ = false;
    if (!co_await read_head()) co_return false;
    bool moved = false;
    while (true) {
        auto decision = co_await worker_.gateway().decide(head_, client_, moved);
        if (std::holds_alternative<ToApi>(decision)) {
            exchange_.kind = client_.origin == Origin::kOperator ? RequestKind::kOperator : RequestKind::kApi;
            co_return co_await hand_up();
        }
        if (auto* to = std::get_if<ToApplication>(&decision)) {
            if (auto limit = count_connection(*to)) co_return co_await refuse_for(*limit, to->principal);
            relaying_ = true;
            auto outcome = co_await Relay::run(std::allocate_shared<Relay>(
                asio::recycling_allocator<Relay>(), shared_from_this(), std::move(*to)));
            relaying_ = false;
            upgraded_shares_ = {};
            moved = outcome == Relay::Outcome::kMoved;
            if (moved) continue;
            co_return outcome == Relay::Outcome::kKeep;
        }
        http::BodyReader body(reader_, head_.framing, http::BodyReader::Form::kDecoded);
        if (auto* elsewhere = std::get_if<Redirect>(&decision))
            co_return co_await redirect(std::move(*elsewhere), body);
        if (auto* reply = std::get_if<Reply>(&decision)) {
            ++worker_.metrics().requests_refused;
            co_return co_await respond(std::move(reply->response), &body);
        }
        co_return co_await refuse(std::move(std::get<Refusal>(decision)), &body);
    }
}

Task<bool> Session::wait_for_first_byte() {
    idle_ = true;
    // An idle connection keeps nothing of a large head. An assignment would keep the memory.
    std::string().swap(head_.text);
    if (head_.fields.capacity() > kFieldsKept) std::vector<http::FieldView>().swap(head_.fields);
    bool forgiven = false;
    while (true) {
        // RFC 9112 section 2.2: an empty line before the request line is forgiven, once, in one piece or two.
        if (!forgiven && reader_.data().starts_with("\r\n")) {
            reader_.consume(2);
            forgiven = true;
        }
        bool half_line = !forgiven && reader_.data() == "\r";
        if (!reader_.data().empty() && !half_line) break;
        if (worker_.draining()) co_return false;
        const auto filled = reader_.try_fill();
        if (!filled) co_return false;
        if (*filled) continue;
        if (!co_await stream_->wait_readable(worker_.loop().after(worker_.limits().idle_connection)))
            co_return false;
    }
    idle_ = false;
    co_return true;
}

Task<bool> Session::read_head() {
    if (!co_await wait_for_first_byte()) co_return false;
    auto deadline = worker_.loop().after(worker_.limits().head);
    std::size_t searched = 0;
    while (true) {
        auto end = http::find_head_end(reader_.data(), searched);
        if (!end) co_return co_await refuse_head(end.error());
        if (*end) {
            std::string text(reader_.data().substr(0, **end));
            reader_.consume(**end);
            if (auto error = http::parse_request_head(std::move(text), head_))
                co_return co_await refuse_head(*error);
            identify_client();
            co_return true;
        }
        searched = reader_.data().size();
        auto filled = co_await reader_.fill(deadline);
        if (filled) continue;
        if (filled.error() != http::IoError::kTimeout) co_return false;
        worker_.metrics().hit(LimitHit::kHead);
        co_return co_await refuse_head({408, "the request head did not arrive in time"});
    }
}

Task<bool> Session::refuse_head(http::HeadError error) {
    ++worker_.metrics().heads_refused;
    if (!exchange_.open) {
        client_.address = client_.peer;
        begin_exchange(RequestKind::kInvalid);
    }
    // What was read of it cannot be trusted to mean anything.
    head_.method = head_.target = head_.host = head_.upgrade = {};
    head_.fields.clear();
    head_.framing = {};
    head_.minor_version = 1;
    head_.keep_alive = head_.expects_continue = false;
    request_id_ = worker_.make_request_id();
    lingers_ = true;
    auto code = error.status == 408   ? "request_timeout"
                : error.status == 431 ? "head_too_large"
                : error.status == 505 ? "http_version_not_supported"
                                      : "bad_request";
    Refusal refusal;
    refusal.problem = {error.status, code, "The request is refused: " + std::string(error.reason) + ".", {}};
    co_return co_await refuse(std::move(refusal), nullptr);
}

void Session::identify_client() {
    auto id = head_.get("X-Request-Id").value_or("");
    request_id_ = is_sane_id(id) ? std::string(id) : worker_.make_request_id();
    const auto& options = worker_.options();
    const auto& url = client_.origin == Origin::kApplications ? options.apps_url : options.public_url;
    client_.scheme = stream_->is_secure() || url.starts_with("https://") ? "https" : "http";
    begin_exchange(head_.upgrade.empty() ? RequestKind::kApplication : RequestKind::kUpgrade);
    if (worker_.limits().total.count() > 0) overdue_at_ = worker_.loop().after(worker_.limits().total);
    client_.address = client_.peer;
    if (!client_.trusted_peer) return;
    client_.address = worker_.trusted().client(client_.peer, head_.joined("X-Forwarded-For"));
    auto scheme = head_.get("X-Forwarded-Proto").value_or("");
    if (scheme == "http" || scheme == "https") client_.scheme = scheme;
}

Task<http::IoResult<>> Session::send_continue() {
    if (!head_.expects_continue || std::exchange(continue_sent_, true)) co_return http::IoResult<>();
    co_return co_await stream_->send("HTTP/1.1 100 Continue\r\n\r\n");
}

Task<std::optional<std::string>> Session::read_body(http::BodyReader& body, LargeBodies::Share& share,
                                                    bool& keep) {
    const auto& limits = worker_.limits();
    auto limit = limits.api_body_bytes;
    // 1. Who is nobody gets no more memory than a head has: whether they may call comes after the body.
    const bool known_length = head_.framing.kind == http::Framing::Kind::kLength;
    const bool may_be_large = head_.framing.kind == http::Framing::Kind::kChunked ||
                              (known_length && head_.framing.length > limits.strangers_body_bytes);
    std::optional<http::Problem> stranger;
    if (may_be_large && client_.origin != Origin::kOperator)
        stranger = co_await worker_.gateway().problem_with_bearer(head_);
    if (stranger) limit = std::min(limit, limits.strangers_body_bytes);

    // 2. The body, as far as there is room for it.
    bool too_large = known_length && head_.framing.length > limit;
    bool no_room = false;
    std::string text;
    if (!too_large && !body.done() && !co_await send_continue()) co_return std::nullopt;
    for (int pieces = 1; !body.done() && !too_large && !no_room; ++pieces) {
        if (pieces % kPieces == 0) co_await worker_.loop().give_way();
        reading_body_ = true;
        auto piece = co_await body.next(worker_.loop().after(worker_.limits().stall));
        reading_body_ = false;
        if (!piece && (overdue_ || piece.error() == http::IoError::kTimeout)) {
            keep = co_await refuse_slow_body(body, overdue_ ? LimitHit::kTotal : LimitHit::kBody);
            co_return std::nullopt;
        }
        if (!piece && body.malformed().empty()) co_return std::nullopt;
        if (!piece) {
            keep = co_await refuse_head({400, body.malformed()});
            co_return std::nullopt;
        }
        const auto size = text.size() + piece->bytes.size();
        too_large = size > limit;
        no_room = !too_large && size > limits.strangers_body_bytes &&
                  !share.grow_to(size, limits.large_bodies_bytes);
        if (!too_large && !no_room) text += piece->bytes;
        body.consume(*piece);
    }
    if (!too_large && !no_room) co_return text;

    // 3. Else why not.
    Refusal refusal;
    refusal.problem = {
        413, "body_too_large", "The body is larger than " + std::to_string(limit) + " bytes.", {}};
    if (no_room) {
        worker_.metrics().hit(LimitHit::kLargeBodies);
        refusal.problem = {
            503, "unavailable", "The server holds as many large bodies as it can. Try again.", {}};
        refusal.retry_after_seconds = 2;
    } else if (stranger) {
        refusal.problem = *stranger;
        if (stranger->status == 401) refusal.www_authenticate = "Bearer";
    }
    keep = co_await refuse(std::move(refusal), &body);
    co_return std::nullopt;
}

http::Request Session::make_request() {
    http::Request request;
    request.id = request_id_;
    request.method = head_.method;
    request.target = head_.target;
    for (const auto& field : head_.fields) {
        // RFC 9110 section 7.8: one of HTTP/1.0 is ignored.
        if (head_.minor_version == 0 && http::iequals(field.name, "Upgrade")) continue;
        request.headers.add(field.name, field.value);
    }
    request.peer = client_.address;
    request.secure = client_.scheme == "https";
    return request;
}

Task<std::optional<http::Response>> Session::ask_api(http::Request request) {
    ++worker_.metrics().requests_api;
    asked_at_epoch_ = worker_.tokens().epoch();
    const auto& control = worker_.control();
    const auto& handler = client_.origin == Origin::kOperator ? control.operator_api : control.api;
    co_return co_await worker_.questions().ask<http::Response>(handler, std::move(request));
}

Task<std::optional<http::Response>> Session::ask_while_there(http::Request request) {
    ++worker_.metrics().requests_api;
    asked_at_epoch_ = worker_.tokens().epoch();
    Questions question(worker_.io(), worker_.control().executor, worker_.shared_control());
    stream_->watch_peer([&question] { question.give_up(); });
    auto response = co_await question.ask<http::Response>(worker_.control().api, std::move(request));
    stream_->watch_peer({});
    co_return response;
}

Task<bool> Session::answer(std::optional<http::Response> response, http::BodyReader& body) {
    if (response) co_return co_await respond(std::move(*response), &body);
    Refusal refusal;
    refusal.problem = {500,
                       "internal_error",
                       "The server failed to answer. The log tells more under this request's id.",
                       {}};
    co_return co_await refuse(std::move(refusal), &body);
}

Task<bool> Session::hand_up() {
    if (worker_.control().streams_body(head_.method, head_.path())) co_return co_await hand_up_streaming();
    http::BodyReader body(reader_, head_.framing, http::BodyReader::Form::kDecoded);
    LargeBodies::Share share(worker_.large_bodies());
    bool keep = false;
    auto text = co_await read_body(body, share, keep);
    if (!text) co_return keep;
    auto request = make_request();
    request.body = std::move(*text);
    const bool attended =
        client_.origin != Origin::kOperator && worker_.control().ends_with_client(head_.method, head_.path());
    auto response =
        attended ? co_await ask_while_there(std::move(request)) : co_await ask_api(std::move(request));
    co_return co_await answer(std::move(response), body);
}

Task<bool> Session::hand_up_streaming() {
    http::BodyReader body(reader_, head_.framing, http::BodyReader::Form::kDecoded);
    auto upload = std::make_shared<Upload>(worker_.io(), worker_.control().executor);
    worker_.spawn(
        "request body",
        [](std::shared_ptr<Session> self, std::shared_ptr<Upload> shared, http::BodyReader& from) -> Task<> {
            co_await asio::this_coro::throw_if_cancelled(false);
            co_await self->pump(shared, from);
        }(shared_from_this(), upload, body));
    auto request = make_request();
    request.body_stream = upload;
    auto response = co_await ask_api(std::move(request));
    // Nobody reads the rest any more.
    upload->stop();
    stream_->interrupt();
    co_await upload->stopped();
    stream_->forget_interrupt();
    co_return co_await answer(std::move(response), body);
}

Task<> Session::pump(std::shared_ptr<Upload> upload, http::BodyReader& body) {
    while (!body.done()) {
        if (!co_await upload->wanted()) break;
        // A client that waits for "100 Continue" has not begun to send.
        http::IoResult<http::BodyReader::Piece> piece;
        if (auto told = co_await send_continue(); told) {
            reading_body_ = true;
            piece = co_await body.next(worker_.loop().after(worker_.limits().stall));
            reading_body_ = false;
        } else {
            piece = std::unexpected(told.error());
        }
        if (!piece) {
            if (piece.error() == http::IoError::kTimeout) worker_.metrics().hit(LimitHit::kBody);
            upload->fail();
            break;
        }
        std::string bytes(piece->bytes);
        body.consume(*piece);
        upload->deliver(std::move(bytes));
    }
    if (body.done()) upload->finish();
    upload->pump_ended();
}

}  // namespace agentdb9::proxy

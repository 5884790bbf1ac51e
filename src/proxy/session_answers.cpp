// How a session answers what it does not relay: responses, refusals, bodies piece by piece, and the end.
#include <ctime>

#include "http/problem.hpp"
#include "proxy/session.hpp"

namespace agentdb9::proxy {
namespace {

// A rest of a body up to this is read, so that the connection can be used again.
constexpr std::size_t kSmallRest = 64UL * 1024;
constexpr std::uint16_t kPolicyViolation = 1008;  // RFC 6455 section 7.4.1: as tunnels are closed

// RFC 9110 section 5.6.7.
std::string http_date(base::Time now) {
    auto seconds = static_cast<std::time_t>(base::to_unix_seconds(now));
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 40> text{};
    auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), size};
}

bool is_navigation(const http::RequestHead& head) {
    return head.get("Accept").value_or("").contains("text/html");
}

}  // namespace

// As far as a revocation looks at it; absent: nobody in particular.
std::optional<auth::Principal> Session::principal_of(const http::Caller& caller) {
    const auto user = base::UserId::parse(caller.user);
    if (!user) return std::nullopt;
    return auth::Principal{.user = *user,
                           .email = {},
                           .username = {},
                           .role = model::Role::kUser,
                           .session = base::SessionId::parse(caller.session),
                           .api_token = base::ApiTokenId::parse(caller.api_token),
                           .scope = {},
                           .expires_at = base::Time::max(),
                           .ends_at = caller.ends_at};
}

Task<bool> Session::redirect(Redirect elsewhere, http::BodyReader& body) {
    http::Response response;
    response.status = elsewhere.status;
    response.headers.add("Location", elsewhere.location);
    response.headers.add("Cache-Control", "no-store");
    response.headers.add("Referrer-Policy", "no-referrer");
    if (!elsewhere.set_cookie.empty()) response.headers.add("Set-Cookie", elsewhere.set_cookie);
    co_return co_await respond(std::move(response), &body);
}

Task<bool> Session::refuse(Refusal refusal, http::BodyReader* body) {
    auto& metrics = worker_.metrics();
    ++(refusal.problem.status < 500 ? metrics.requests_refused : metrics.requests_failed);
    metrics.refused(refusal.problem.code);
    exchange_.reason = refusal.problem.code;
    if (worker_.access() && refusal.principal) exchange_.user = refusal.principal->user.view();
    http::Response response;
    response.status = refusal.problem.status;
    http::ProblemContext context{request_id_, head_.method, head_.path(), worker_.wall_clock()};
    if (is_navigation(head_)) {
        response.body = http::problem_html(refusal.problem, context);
        response.headers.add("Content-Type", "text/html; charset=utf-8");
        response.headers.add(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'");
    } else {
        response.body = http::problem_json(refusal.problem, context);
        response.headers.add("Content-Type", "application/json; charset=utf-8");
    }
    response.headers.add("Cache-Control", "no-store");
    response.headers.add("X-Content-Type-Options", "nosniff");
    // The address of a page that refuses a ticket still holds it.
    response.headers.add("Referrer-Policy", "no-referrer");
    if (refusal.retry_after_seconds)
        response.headers.add("Retry-After", std::to_string(*refusal.retry_after_seconds));
    if (!refusal.www_authenticate.empty()) response.headers.add("WWW-Authenticate", refusal.www_authenticate);
    co_return co_await respond(std::move(response), body);
}

Task<bool> Session::can_continue(http::BodyReader* body) {
    if (!head_.keep_alive || worker_.draining()) co_return false;
    if (!body || body->done()) co_return true;
    // A client that waits for "100 Continue" may send its body or not: the connection cannot be read on.
    if (head_.expects_continue && !continue_sent_) co_return false;
    if (head_.framing.kind != http::Framing::Kind::kLength || head_.framing.length > kSmallRest)
        co_return false;
    // The answer waits for it: as long as for all of it, not for each byte.
    const auto deadline = worker_.loop().after(worker_.limits().linger);
    while (!body->done()) {
        auto piece = co_await body->next(deadline);
        if (!piece) co_return false;
        body->consume(*piece);
    }
    co_return true;
}

Task<bool> Session::respond(http::Response response, http::BodyReader* body) {
    if (response.take_piece) co_return co_await converse(std::move(response));
    bool keep = co_await can_continue(body);
    bool bodiless = response.status == 204 || response.status == 304;
    bool streamed = response.next_piece && !bodiless && head_.method != "HEAD";
    bool chunked = streamed && head_.minor_version > 0 && !response.length;
    if (streamed && !chunked && !response.length) keep = false;
    std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
    out.append(http::reason_phrase(response.status)).append("\r\n");
    for (const auto& field : response.headers)
        if (!http::iequals(field.name, "Content-Length") && !http::iequals(field.name, "Connection"))
            out.append(field.name).append(": ").append(field.value).append("\r\n");
    if (!response.headers.get("Date"))
        out.append("Date: ").append(http_date(worker_.wall_clock())).append("\r\n");
    if (!response.headers.get("X-Request-Id"))
        out.append("X-Request-Id: ").append(request_id_).append("\r\n");
    if (chunked) out += "Transfer-Encoding: chunked\r\n";
    const auto text = response.fixed_body.empty() ? std::string_view(response.body) : response.fixed_body;
    if (!response.next_piece) response.length = text.size();
    if (response.length && !bodiless)
        out.append("Content-Length: ").append(std::to_string(*response.length)).append("\r\n");
    if (!keep)
        out += "Connection: close\r\n";
    else if (head_.minor_version == 0)
        out += "Connection: keep-alive\r\n";
    out += "\r\n";
    bool with_body = !bodiless && head_.method != "HEAD" && !streamed;
    std::array<std::string_view, 2> parts{out, with_body ? text : std::string_view()};
    exchange_.status = response.status;
    if (!response.caller.user.empty()) exchange_.user = response.caller.user;
    auto sent = co_await stream_->send(parts);
    exchange_.aborted = !sent;
    if (!sent) co_return false;
    if (streamed && !co_await stream_pieces(std::move(response), chunked)) co_return false;
    lingers_ = !keep && body && !body->done() ? true : lingers_;
    co_return keep;
}

Task<bool> Session::stream_pieces(http::Response response, bool chunked) {
    // Questions of its own: they are given up when the client goes, or the server.
    auto source = std::make_shared<const http::Response>(std::move(response));
    Questions pieces(worker_.io(), worker_.control().executor, source);
    streaming_ = &pieces;
    streaming_to_ = principal_of(source->caller);
    stream_->watch_peer([&pieces] { pieces.give_up(); });
    // Revoked while the request was with the control plane.
    if (streaming_to_ && worker_.tokens().revoked_since(asked_at_epoch_, *streaming_to_)) cut_off_pieces();
    bool whole = false;
    std::uint64_t sent_bytes = 0;
    while (auto piece = co_await pieces.ask<std::optional<std::string>>(source->next_piece)) {
        whole = !*piece;
        if (whole) break;
        if ((*piece)->empty()) continue;
        sent_bytes += (*piece)->size();
        auto size = chunked ? http::chunk_header((*piece)->size()) : std::string();
        std::array<std::string_view, 3> parts{size, **piece, chunked ? "\r\n" : ""};
        if (!co_await stream_->send(parts)) break;
    }
    stream_->watch_peer({});
    streaming_ = nullptr;
    streaming_to_.reset();
    // What is shorter than it was said to be must not pass for the whole.
    exchange_.aborted = !whole || (source->length && sent_bytes != *source->length);
    if (exchange_.aborted) co_return false;
    if (!chunked) co_return true;
    auto sent = co_await stream_->send("0\r\n\r\n");
    co_return sent.has_value();
}

// Whose permission has ended gets no further piece, and must not take what they have for the whole.
void Session::cut_off_pieces() {
    if (conversing_) return end_conversation(kPolicyViolation, "signed out");
    stream_->reset_at_close();
    stream_->close();
    streaming_->give_up();
}

Task<> Session::linger() {
    stream_->shutdown_send();
    auto deadline = worker_.loop().after(worker_.limits().linger);
    std::size_t read = reader_.data().size();
    reader_.consume(read);
    while (read < worker_.limits().linger_bytes && co_await reader_.fill(deadline)) {
        read += reader_.data().size();
        reader_.consume(reader_.data().size());
    }
}

}  // namespace agentdb9::proxy

// A WebSocket whose other end is the control plane: the worker has the socket, and carries bytes; what they
// mean is known above. What comes in is handed up piece by piece, each read when the one before has been
// taken.
#include <boost/asio/as_tuple.hpp>

#include "http/websocket.hpp"
#include "proxy/session.hpp"

namespace agentdb9::proxy {
namespace {

std::string head_of(const http::Response& response, const std::string& request_id) {
    std::string out = "HTTP/1.1 101 Switching Protocols\r\n";
    for (const auto& field : response.headers)
        out.append(field.name).append(": ").append(field.value).append("\r\n");
    return out.append("Connection: Upgrade\r\nX-Request-Id: ").append(request_id).append("\r\n\r\n");
}

}  // namespace

Task<bool> Session::converse(http::Response response) {
    exchange_.status = response.status;
    exchange_.user = response.caller.user;
    lift_time_limit();
    auto source = std::make_shared<const http::Response>(std::move(response));
    // 1. The answer.
    const auto sent = co_await stream_->send(head_of(*source, request_id_));
    exchange_.aborted = !sent;
    if (!sent) co_return false;

    // 2. Both ways, each with questions of its own: what is being told does not wait for what is being heard.
    Questions telling(worker_.io(), worker_.control().executor, source);
    Questions hearing(worker_.io(), worker_.control().executor, source);
    streaming_ = &telling;
    streaming_to_ = principal_of(source->caller);
    conversing_ = true;
    if (streaming_to_ && worker_.tokens().revoked_since(asked_at_epoch_, *streaming_to_)) cut_off_pieces();
    if (worker_.draining()) on_drain();
    bool listening = true;
    asio::steady_timer ended(*worker_.io(), asio::steady_timer::time_point::max());
    worker_.spawn("conversation",
                  [](std::shared_ptr<Session> self, std::shared_ptr<const http::Response> to,
                     Questions& questions, bool& goes_on, asio::steady_timer& over) -> Task<> {
                      co_await asio::this_coro::throw_if_cancelled(false);
                      co_await self->listen(to, questions, goes_on, over);
                  }(shared_from_this(), source, hearing, listening, ended));
    while (auto piece = co_await telling.ask<std::optional<std::string>>(source->next_piece)) {
        if (!*piece) break;
        if ((*piece)->empty()) continue;
        if (!co_await stream_->send(**piece)) break;
    }

    // 3. Each piece was whole frames: one of ours may follow. A client whose window is full does not hear it.
    std::string_view farewell(farewell_);
    if (!farewell.empty()) std::ignore = stream_->try_send({&farewell, 1});
    conversing_ = false;
    streaming_ = nullptr;
    streaming_to_.reset();
    hearing.give_up();
    stream_->interrupt();
    while (listening)
        co_await ended.async_wait(asio::as_tuple(asio::use_awaitable));
    stream_->forget_interrupt();
    // RFC 6455 section 7.1.1: the client closes next.
    lingers_ = true;
    co_return false;
}

Task<> Session::listen(std::shared_ptr<const http::Response> to, Questions& questions, bool& listening,
                       asio::steady_timer& ended) {
    while (conversing_) {
        if (reader_.data().empty() && !co_await reader_.fill(http::kNever)) break;
        std::string piece(reader_.data());
        reader_.consume(piece.size());
        const auto goes_on = co_await questions.ask<bool>(to->take_piece, std::move(piece));
        if (!goes_on) break;
        if (!*goes_on) {
            // It has its say yet: the answer to a close frame.
            listening = false;
            ended.cancel();
            co_return;
        }
    }
    if (conversing_) streaming_->give_up();
    listening = false;
    ended.cancel();
}

void Session::end_conversation(std::uint16_t code, std::string_view reason) {
    if (!farewell_.empty()) return;
    farewell_ = http::websocket_close_frame(code, reason);
    streaming_->give_up();
    // Who takes nothing would not let the frame through, nor what is being sent before it.
    conversation_cut_at_ = worker_.loop().after(worker_.limits().tunnel_close);
}

}  // namespace agentdb9::proxy

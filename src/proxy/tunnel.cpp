// The relay's second life: bytes both ways after a 101, until either side, a revocation or the end of the
// instance closes it.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>

#include "http/message.hpp"
#include "proxy/relay.hpp"

namespace agentdb9::proxy {
namespace {

// How long one side may go on sending after the other has closed its half.
constexpr std::chrono::milliseconds kHalfClosed{10'000};

std::string_view reason_of(int code) {
    switch (code) {
        case 1001:
            return "the server is going away";
        case 1008:
            return "signed out";
        case 1012:
            return "the workspace stopped or restarts";
        default:
            return "";
    }
}

}  // namespace

Task<Relay::Outcome> Relay::tunnel() {
    auto& metrics = worker_.metrics();
    tunnelling_ = true;
    websocket_ = http::list_has(response_.get("Upgrade").value_or(to_.upgrade), "websocket");
    --metrics.relays_in_flight;
    ++metrics.tunnels_open;
    if (to_.route && to_.route->use) {
        ++to_.route->use->open_sockets;
        --to_.route->use->requests_in_flight;
    }
    session_->stream().watch_peer({});
    auto head = client_interim_head(response_, session_->request_id());
    if (!co_await session_->stream().send(head)) co_return Outcome::kClose;
    // What happened while the handshake was under way.
    if (worker_.tokens().revoked_since(to_.epoch, *to_.principal)) end_tunnel(Ending::kRevoked);
    if (worker_.routes()) on_routes(*worker_.routes());
    if (worker_.draining()) end_tunnel(Ending::kGoingAway);

    pump_running_ = true;
    worker_.spawn("tunnel", [](std::shared_ptr<Relay> self) -> Task<> {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await self->tunnel_to_upstream();
        self->pump_running_ = false;
        self->pump_ended_.cancel();
    }(shared_from_this()));
    co_await tunnel_to_client();
    co_await close_tunnel();
    co_return Outcome::kClose;
}

Task<> Relay::tunnel_to_client() {
    auto& client = session_->stream();
    while (true) {
        bool between_frames = !websocket_ || frames_.at_boundary();
        if (ending_ != Ending::kNone && between_frames) co_return;
        if (reader_->data().empty()) {
            auto filled = co_await reader_->fill(http::kNever);
            if (!filled && filled.error() == http::IoError::kCancelled) continue;
            if (!filled) co_return;
        }
        auto bytes = reader_->data();
        if (websocket_) {
            if (ending_ == Ending::kNone)
                frames_.feed(bytes);
            else
                bytes = bytes.substr(0, frames_.feed_to_boundary(bytes));
        }
        if (!co_await client.send(bytes)) co_return;
        reader_->consume(bytes.size());
    }
}

Task<> Relay::tunnel_to_upstream() {
    auto& from = session_->reader();
    while (true) {
        if (from.data().empty()) {
            auto filled = co_await from.fill(http::kNever);
            if (pump_stopping_) co_return;
            if (!filled && filled.error() == http::IoError::kCancelled) continue;
            if (!filled && filled.error() == http::IoError::kEnd) {
                upstream_->shutdown_send();
                // One that is being ended has less time.
                if (ending_ == Ending::kNone) close_both_after(kHalfClosed);
                co_return;
            }
            if (!filled) {
                upstream_->close(http::IoError::kReset);
                co_return;
            }
        }
        if (!co_await upstream_->send(from.data()) || pump_stopping_) co_return;
        from.consume(from.data().size());
    }
}

Task<> Relay::close_tunnel() {
    // An application that died with its instance said no farewell: the client hears one all the same.
    if (ending_ == Ending::kNone && instance_moved()) ending_ = Ending::kRestart;
    auto& client = session_->stream();
    if (ending_ != Ending::kNone) ++worker_.metrics().tunnels_closed_by_us;
    if (ending_ != Ending::kNone && websocket_ && frames_.at_boundary() && !frames_.close_seen()) {
        auto code = static_cast<int>(ending_);
        auto frame = http::websocket_close_frame(static_cast<std::uint16_t>(code), reason_of(code));
        close_both_after(worker_.limits().tunnel_close);
        co_await client.send(frame);
    }
    client.shutdown_send();
    // The application has said all that it had to say; in another protocol than WebSocket it may still
    // listen.
    if (ending_ == Ending::kNone && !websocket_ && pump_running_ && upstream_->is_open()) {
        close_both_after(kHalfClosed);
        while (pump_running_)
            co_await pump_ended_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_await stop_pump();
    // RFC 6455 section 7.1.1: the client closes next; its last bytes are of no use to anybody.
    auto& from = session_->reader();
    from.consume(from.data().size());
    auto deadline = worker_.loop().after(worker_.limits().tunnel_close);
    while (co_await from.fill(deadline))
        from.consume(from.data().size());
    cut_.cancel();
}

void Relay::end_tunnel(Ending ending) {
    if (ending_ != Ending::kNone) return;
    ending_ = ending;
    // Whatever hangs in the middle of a frame or of a slow client's window.
    close_both_after(worker_.limits().tunnel_close);
    upstream_->interrupt();
}

void Relay::close_both_after(std::chrono::milliseconds limit) {
    cut_.expires_after(limit);
    cut_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
        auto self = weak.lock();
        if (cancelled || !self) return;
        self->session_->stream().close();
        if (self->upstream_) self->upstream_->close();
    });
}

}  // namespace agentdb9::proxy

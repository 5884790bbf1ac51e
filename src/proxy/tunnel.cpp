#include "proxy/tunnel.hpp"

#include <array>
#include <boost/asio/post.hpp>
#include <cstring>
#include <tuple>

namespace agentdb9::proxy {
namespace {

// How long one side may go on sending after the other has closed its half.
constexpr std::chrono::milliseconds kHalfClosed{10'000};
// Pieces in a row, before others have their turn.
constexpr int kPieces = 16;

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

Tunnel::Tunnel(Worker& worker, const ToApplication& to, bool websocket, Ends ends)
    : worker_(worker),
      route_(to.route),
      principal_(to.principal),
      visitor_(to.visitor),
      port_(to.port),
      client_(std::move(ends.client)),
      upstream_(std::move(ends.upstream)),
      account_(std::move(ends.account)),
      epoch_(to.epoch),
      websocket_(websocket) {
    worker_.add(*this);
    ++worker_.metrics().tunnels_open;
    if (route_ && route_->use) ++route_->use->open_sockets;
    if (websocket_) frames_.feed(ends.from_upstream);
    if (!pass(*upstream_, for_upstream_, ends.from_client)) upstream_refuses_ = true;
    if (!pass(*client_, for_client_, ends.from_upstream)) state_ = State::kEnded;
}

Tunnel::~Tunnel() {
    auto& metrics = worker_.metrics();
    --metrics.tunnels_open;
    if (route_ && route_->use) --route_->use->open_sockets;
    count_bytes();
    log_end();
    // Who sees that the connection has ended may count on its place.
    account_.shares = {};
    for (auto* held : {&for_client_, &for_upstream_})
        if (held->block) worker_.loop().give_block(std::move(held->block));
    worker_.session_ended();
}

void Tunnel::start() {
    client_->set_watcher(*this);
    upstream_->set_watcher(*this);
    // What happened while the handshake was under way.
    if (worker_.tokens().revoked_since(epoch_, *principal_)) end(Ending::kRevoked);
    if (worker_.routes()) on_routes(*worker_.routes());
    if (worker_.draining()) end(Ending::kGoingAway);
    go_on_later();
}

void Tunnel::on_revocation(const auth::Revocation& revocation) {
    if (revocation.covers(*principal_)) end(Ending::kRevoked);
}

void Tunnel::on_routes(const model::RouteTable& table) {
    if (!route_) return;
    if (visitor_ && model::sharing_for(table.sharings_of(route_->workspace), port_, *visitor_,
                                       worker_.wall_clock()) == nullptr)
        return end(Ending::kRevoked);
    // A held workspace says nothing yet about its instance: it may be serving still.
    const auto found = table.routes.find(route_->workspace);
    const bool held = found != table.routes.end() && found->second->state == model::RouteState::kHeld;
    if (!held && instance_moved()) end(Ending::kRestart);
}

void Tunnel::on_drain() {
    end(Ending::kGoingAway);
}

void Tunnel::on_time(base::SteadyTime) {
    count_bytes();
    if (auth::has_ended(*principal_, worker_.wall_clock())) end(Ending::kRevoked);
}

void Tunnel::count_bytes() {
    auto& metrics = worker_.metrics();
    const auto in = client_->bytes_received();
    const auto out = client_->bytes_sent();
    const auto more_in = in - std::exchange(account_.bytes_in_counted, in);
    const auto more_out = out - std::exchange(account_.bytes_out_counted, out);
    metrics.bytes_from_clients += more_in;
    metrics.bytes_to_clients += more_out;
    if (more_in + more_out > 0 && route_ && route_->use)
        model::mark_use(route_->use->last_frame_ms, worker_.loop().now());
}

void Tunnel::log_end() {
    auto* lane = worker_.access();
    if (!lane || !account_.record || !lane->wants(account_.record->status)) return;
    auto& record = *account_.record;
    record.bytes_in = client_->bytes_received() - account_.bytes_in_before;
    record.bytes_out = client_->bytes_sent() - account_.bytes_out_before;
    record.took(std::chrono::steady_clock::now() - account_.began, worker_.wall_clock());
    const bool put = lane->put([&](AccessRecord& place) { place = std::move(record); });
    ++(put ? worker_.metrics().access_lines : worker_.metrics().access_dropped);
}

bool Tunnel::instance_moved() const {
    if (!route_ || !worker_.routes()) return false;
    const auto& routes = worker_.routes()->routes;
    const auto found = routes.find(route_->workspace);
    return found == routes.end() || found->second->state != model::RouteState::kReady ||
           found->second->instance != route_->instance;
}

// Destroys nothing: others are being told the same.
void Tunnel::end(Ending ending) {
    const bool half = state_ == State::kUpstreamEnded;
    if (ending_ != Ending::kNone || (state_ != State::kOpen && !half)) return;
    ending_ = ending;
    // Whatever hangs in the middle of a frame or of a slow client's window. Where the application has had its
    // say there is nothing to wait for.
    cut_at_ = half ? worker_.loop().now() : worker_.loop().after(worker_.limits().tunnel_close);
    go_on_later();
}

bool Tunnel::on_tick(base::SteadyTime now) {
    const bool over = cut_at_ <= now || for_client_.stalled_at <= now || for_upstream_.stalled_at <= now;
    return state_ != State::kEnded && !over;
}

void Tunnel::go_on_later() {
    if (std::exchange(later_, true)) return;
    asio::post(worker_.loop().io(), [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
            self->later_ = false;
            self->go_on();
        }
    });
}

void Tunnel::on_ready() {
    go_on();
}

void Tunnel::go_on() {
    for (int pieces = 0; pieces < kPieces; ++pieces) {
        bool moved = false;
        if (state_ == State::kOpen) moved = to_client();
        if (state_ == State::kOpen || state_ == State::kUpstreamEnded) moved = to_upstream() || moved;
        if (state_ == State::kLingering) moved = drain_client() || moved;
        if (state_ == State::kEnded) return worker_.end(*this);  // destroys it
        if (!moved) return;
    }
    go_on_later();
}

bool Tunnel::pass(http::Stream& to, Held& held, std::string_view bytes) {
    if (!held.empty()) bytes = {held.block.get() + held.begin, held.end - held.begin};
    const auto size = bytes.size();
    if (!to.try_send({&bytes, 1})) return false;
    if (bytes.empty()) {
        if (held.block) worker_.loop().give_block(std::move(held.block));
        held = {};
        return true;
    }
    if (bytes.size() < size || held.empty()) held.stalled_at = worker_.loop().after(worker_.limits().stall);
    if (held.empty()) {
        held.block = worker_.loop().take_block();
        std::memcpy(held.block.get(), bytes.data(), bytes.size());
        held.begin = 0;
        held.end = bytes.size();
    } else {
        held.begin = held.end - bytes.size();
    }
    return true;
}

bool Tunnel::to_client() {
    if (!for_client_.empty()) {
        if (!pass(*client_, for_client_, {})) state_ = State::kEnded;
        if (!for_client_.empty()) return false;
    }
    if (ending_ != Ending::kNone && (!websocket_ || frames_.at_boundary())) {
        upstream_has_ended();
        return true;
    }
    const auto room = worker_.loop().scratch().first(http::kBlockSize);
    const auto got = upstream_->try_recv(room);
    if (!got) {
        upstream_has_ended();
        return true;
    }
    if (*got == 0) return false;
    std::string_view bytes(room.data(), *got);
    if (websocket_) {
        if (ending_ == Ending::kNone)
            frames_.feed(bytes);
        else
            bytes = bytes.substr(0, frames_.feed_to_boundary(bytes));
    }
    if (!pass(*client_, for_client_, bytes)) state_ = State::kEnded;
    return true;
}

bool Tunnel::to_upstream() {
    // Who may not have it any more has nothing more to say there either.
    if (client_ended_ || upstream_refuses_ || ending_ == Ending::kRevoked) return false;
    if (!for_upstream_.empty()) {
        // One that takes no more may still have something to say.
        if (!pass(*upstream_, for_upstream_, {})) upstream_refuses_ = true;
        if (!for_upstream_.empty()) return false;
    }
    const auto room = worker_.loop().scratch().first(http::kBlockSize);
    const auto got = client_->try_recv(room);
    if (!got && got.error() != http::IoError::kEnd) {
        state_ = State::kEnded;
        return true;
    }
    if (!got) {
        client_ended_ = true;
        upstream_->shutdown_send();
        if (state_ == State::kUpstreamEnded) state_ = State::kEnded;
        // One that is being ended has less time.
        if (ending_ == Ending::kNone) cut_at_ = worker_.loop().after(kHalfClosed);
        return true;
    }
    if (*got == 0) return false;
    if (!pass(*upstream_, for_upstream_, {room.data(), *got})) upstream_refuses_ = true;
    return true;
}

// The application has said all that it had to say, or is not listened to any more.
void Tunnel::upstream_has_ended() {
    // One that died with its instance said no farewell: the client hears one all the same.
    if (ending_ == Ending::kNone && instance_moved()) ending_ = Ending::kRestart;
    if (ending_ != Ending::kNone) ++worker_.metrics().tunnels_closed_by_us;
    if (ending_ != Ending::kNone && websocket_ && frames_.at_boundary() && !frames_.close_seen()) {
        const auto code = static_cast<int>(ending_);
        const auto frame = http::websocket_close_frame(static_cast<std::uint16_t>(code), reason_of(code));
        // A client whose window is full does not hear it.
        std::string_view bytes(frame);
        std::ignore = client_->try_send({&bytes, 1});
    }
    client_->shutdown_send();
    // In another protocol than WebSocket it may still listen.
    if (ending_ == Ending::kNone && !websocket_ && !client_ended_ && !upstream_refuses_) {
        state_ = State::kUpstreamEnded;
        cut_at_ = worker_.loop().after(kHalfClosed);
        return;
    }
    upstream_->close();
    // RFC 6455 section 7.1.1: the client closes next.
    state_ = client_ended_ ? State::kEnded : State::kLingering;
    cut_at_ = worker_.loop().after(worker_.limits().tunnel_close);
}

bool Tunnel::drain_client() {
    const auto got = client_->try_recv(worker_.loop().scratch());
    if (!got) state_ = State::kEnded;
    return !got || *got > 0;
}

}  // namespace agentdb9::proxy

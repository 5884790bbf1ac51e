#include <sys/socket.h>

#include <cstring>
#include <deque>
#include <random>
#include <vector>

#include "modes.hpp"
#include "websocket.hpp"

namespace agentdb9::bench {
namespace {

constexpr std::chrono::seconds kGrace{10};       // for what is under way when the load ends
constexpr std::chrono::milliseconds kLook{100};  // at whether it is over

struct Socket {
    Fd fd;
    std::string inbox;   // the beginning of a frame
    std::string outbox;  // what the system has not taken yet
    bool waits_to_send = false;
    std::uint32_t sent = 0, received = 0;
    std::deque<Clock::time_point> due;  // of the messages under way, in order
    Clock::time_point next;
};

class WebsocketLoad {
  public:
    WebsocketLoad(const Options& options, Report& report)
        : options_(options), report_(report), sockets_(options.connections), payload_(options.bytes, 'x') {}

    void run() {
        if (!open()) return;
        await_word();
        report_.begin();
        end_ = Clock::now() + options_.duration;
        begin();
        while (alive_ && report_.error_count() < kMaxErrors && Clock::now() < end_ + kGrace) {
            if (paced()) send_due();
            if (Clock::now() >= end_ && under_way_ == 0) break;
            for (const auto& event : poller_.wait(wake_at()))
                on_event(*static_cast<Socket*>(event.data.ptr), event.events);
        }
        report_.number("lost", static_cast<double>(under_way_));
        for (std::uint64_t i = 0; i < under_way_; ++i)
            report_.error("a message did not come back");
    }

  private:
    bool paced() const { return options_.rate > 0; }

    bool open() {
        for (auto& socket : sockets_) {
            std::string error;
            socket.fd = open_websocket(options_.port, options_.target, options_.token, error);
            if (!socket.fd) {
                report_.error(error);
                return false;
            }
            make_non_blocking(socket.fd);
            poller_.add(socket.fd, &socket);
        }
        return true;
    }

    void begin() {
        const auto now = Clock::now();
        if (!paced()) {
            for (auto& socket : sockets_)
                send(socket, now);
            return;
        }
        interval_ =
            std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / options_.rate));
        // Spread over one interval, and so always in the order of the vector, from turn_ on.
        for (std::size_t i = 0; i < sockets_.size(); ++i)
            sockets_[i].next = now + interval_ * i / sockets_.size();
    }

    Clock::time_point wake_at() const {
        const auto now = Clock::now();
        if (paced() && sockets_[turn_].next < end_) return sockets_[turn_].next;
        return now < end_ ? end_ : now + kLook;
    }

    void send_due() {
        const auto now = Clock::now();
        while (sockets_[turn_].next <= now && sockets_[turn_].next < end_) {
            auto& socket = sockets_[turn_];
            send(socket, socket.next);
            socket.next += interval_;
            turn_ = (turn_ + 1) % sockets_.size();
        }
    }

    // Each message says which one it is.
    void send(Socket& socket, Clock::time_point due) {
        std::memcpy(payload_.data(), &socket.sent, sizeof socket.sent);
        ++socket.sent;
        const bool waits = !socket.outbox.empty();
        append_frame(socket.outbox, Opcode::kBinary, payload_, static_cast<std::uint32_t>(random_()));
        socket.due.push_back(due);
        ++under_way_;
        if (!waits) flush(socket);
    }

    void flush(Socket& socket) {
        const auto size = ::send(socket.fd.get(), socket.outbox.data(), socket.outbox.size(), MSG_NOSIGNAL);
        if (size > 0) socket.outbox.erase(0, static_cast<std::size_t>(size));
        if (size < 0 && errno != EAGAIN) return lost(socket, "connection lost");
        if (socket.outbox.empty() != socket.waits_to_send) return;
        socket.waits_to_send = !socket.waits_to_send;
        poller_.change(socket.fd, &socket, socket.waits_to_send ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }

    void on_event(Socket& socket, std::uint32_t events) {
        if ((events & EPOLLOUT) != 0) flush(socket);
        if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive(socket);
    }

    void receive(Socket& socket) {
        if (!socket.fd) return;
        const auto size = ::recv(socket.fd.get(), buffer_.data(), buffer_.size(), 0);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (size <= 0) return lost(socket, "connection lost");
        std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
        if (!socket.inbox.empty()) {
            socket.inbox += bytes;
            bytes = socket.inbox;
        }
        FrameView frame;
        auto state = FrameState::kPartial;
        while ((state = read_frame(bytes, frame)) == FrameState::kWhole) {
            if (!accept(socket, frame, bytes.substr(frame.head_bytes, frame.payload_bytes)))
                return lost(socket, "a message came back as another one");
            bytes.remove_prefix(frame.bytes());
        }
        if (state == FrameState::kInvalid) return lost(socket, "not a WebSocket frame");
        socket.inbox = std::string(bytes);
    }

    bool accept(Socket& socket, const FrameView& frame, std::string_view payload) {
        std::memcpy(payload_.data(), &socket.received, sizeof socket.received);
        if (frame.opcode != Opcode::kBinary || frame.mask || payload != payload_ || socket.due.empty())
            return false;
        ++socket.received;
        report_.done(payload.size());
        if (paced()) report_.took(Clock::now() - socket.due.front());
        socket.due.pop_front();
        --under_way_;
        if (!paced() && Clock::now() < end_) send(socket, Clock::now());
        return true;
    }

    void lost(Socket& socket, const std::string& why) {
        report_.error(why);
        alive_ = false;
        socket.fd = Fd();
    }

    const Options& options_;
    Report& report_;
    std::vector<Socket> sockets_;
    std::string payload_;
    std::vector<char> buffer_ = std::vector<char>(64UL * 1024);
    std::mt19937 random_{std::random_device{}()};
    Poller poller_;
    Clock::time_point end_;
    Clock::duration interval_{};
    std::size_t turn_ = 0;
    std::uint64_t under_way_ = 0;
    bool alive_ = true;
};

}  // namespace

void load_websocket(const Options& options, Report& report) {
    WebsocketLoad(options, report).run();
}

}  // namespace agentdb9::bench

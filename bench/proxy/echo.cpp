// The application behind the proxies in the WebSocket measurements: sends each message back. One thread, one
// epoll.
#include <sys/socket.h>

#include <csignal>
#include <iostream>
#include <memory>
#include <unordered_map>
#include <vector>

#include "load/socket.hpp"
#include "load/websocket.hpp"

namespace agentdb9::bench {
namespace {

constexpr std::size_t kMaxHead = 16UL * 1024;

struct Client {
    Fd fd;
    std::string inbox;
    std::string outbox;
    bool open = false;  // the handshake is done
    bool closing = false;
    bool waits_to_send = false;
};

std::string key_in(const std::string& head) {
    constexpr std::string_view kName = "sec-websocket-key:";
    for (std::size_t line = 0; line < head.size(); line = head.find('\n', line) + 1) {
        const auto end = head.find("\r\n", line);
        std::string name = head.substr(line, kName.size());
        for (auto& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
        if (name == kName) {
            const auto value = head.find_first_not_of(' ', line + kName.size());
            return head.substr(value, end - value);
        }
        if (head.find('\n', line) == head.npos) break;
    }
    return {};
}

class EchoServer {
  public:
    EchoServer() : listener_(listen_anywhere()) { poller_.add(listener_, nullptr); }

    [[noreturn]] void run() {
        std::cout << port_of(listener_) << std::endl;
        for (;;) {
            for (const auto& event : poller_.wait(Clock::now() + std::chrono::seconds(60))) {
                auto* client = static_cast<Client*>(event.data.ptr);
                if (!client)
                    accept();
                else if (!serve(*client, event.events))
                    clients_.erase(client->fd.get());
            }
        }
    }

  private:
    void accept() {
        for (;;) {
            Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!fd) return;
            auto client = std::make_unique<Client>();
            client->fd = std::move(fd);
            poller_.add(client->fd, client.get());
            clients_[client->fd.get()] = std::move(client);
        }
    }

    // False: it is over.
    bool serve(Client& client, std::uint32_t events) {
        if ((events & EPOLLOUT) != 0 && !flush(client)) return false;
        if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return true;
        const auto size = ::recv(client.fd.get(), buffer_.data(), buffer_.size(), 0);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
        if (size <= 0) return false;
        if (!client.open || !client.inbox.empty()) {
            client.inbox.append(buffer_.data(), static_cast<std::size_t>(size));
            const auto used = consume(client, client.inbox.data(), client.inbox.size());
            if (!used) return false;
            client.inbox.erase(0, *used);
        } else {
            const auto got = static_cast<std::size_t>(size);
            const auto used = consume(client, buffer_.data(), got);
            if (!used) return false;
            client.inbox.assign(buffer_.data() + *used, got - *used);
        }
        return flush(client) && !(client.closing && client.outbox.empty());
    }

    // How many of the bytes are done with; absent for what is no WebSocket.
    static std::optional<std::size_t> consume(Client& client, char* data, std::size_t size) {
        const std::string_view bytes(data, size);
        std::size_t used = 0;
        if (!client.open) {
            const auto end = bytes.find("\r\n\r\n");
            if (end == bytes.npos) return size < kMaxHead ? std::optional<std::size_t>(0) : std::nullopt;
            const auto key = key_in(std::string(bytes.substr(0, end + 4)));
            if (key.empty()) return std::nullopt;
            client.outbox +=
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Accept: " +
                accept_of(key) + "\r\n\r\n";
            client.open = true;
            used = end + 4;
        }
        FrameView frame;
        auto state = FrameState::kPartial;
        while ((state = read_frame(bytes.substr(used), frame)) == FrameState::kWhole) {
            if (!frame.mask) return std::nullopt;
            char* payload = data + used + frame.head_bytes;
            apply_mask(payload, frame.payload_bytes, frame.mask);
            const auto opcode = frame.opcode == Opcode::kPing ? Opcode::kPong : frame.opcode;
            append_frame(client.outbox, opcode, {payload, frame.payload_bytes}, std::nullopt);
            client.closing = client.closing || frame.opcode == Opcode::kClose;
            used += frame.bytes();
        }
        if (state == FrameState::kInvalid) return std::nullopt;
        return used;
    }

    bool flush(Client& client) {
        if (client.outbox.empty()) return true;
        const auto size = ::send(client.fd.get(), client.outbox.data(), client.outbox.size(), MSG_NOSIGNAL);
        if (size < 0 && errno != EAGAIN) return false;
        if (size > 0) client.outbox.erase(0, static_cast<std::size_t>(size));
        if (client.outbox.empty() != client.waits_to_send) return true;
        client.waits_to_send = !client.waits_to_send;
        poller_.change(client.fd, &client, client.waits_to_send ? EPOLLIN | EPOLLOUT : EPOLLIN);
        return true;
    }

    Fd listener_;
    Poller poller_;
    std::vector<char> buffer_ = std::vector<char>(256UL * 1024);
    std::unordered_map<int, std::unique_ptr<Client>> clients_;
};

}  // namespace
}  // namespace agentdb9::bench

int main() {
    try {
        agentdb9::bench::EchoServer().run();
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << "\n";
        return 1;
    }
}

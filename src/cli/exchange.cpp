#include "cli/exchange.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "http/head.hpp"

namespace agentdb9::cli {
namespace {

using Kind = ExchangeFailure::Kind;
using Deadline = std::chrono::steady_clock::time_point;

constexpr std::size_t kLargestAnswer = 64UL * 1024 * 1024;

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

std::expected<Address, std::string> address_of(const Peer& peer) {
    Address address;
    if (const auto* path = std::get_if<std::filesystem::path>(&peer)) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        const auto& text = path->native();
        if (text.size() >= sizeof name.sun_path) return std::unexpected("the path is too long for a socket");
        std::memcpy(name.sun_path, text.data(), text.size());
        std::memcpy(&address.storage, &name, sizeof name);
        address.size = sizeof name;
        return address;
    }
    const auto& [host, port] = std::get<config::Address>(peer);
    sockaddr_in four{};
    sockaddr_in6 six{};
    if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        four.sin_port = htons(static_cast<std::uint16_t>(port));
        std::memcpy(&address.storage, &four, sizeof four);
        address.size = sizeof four;
    } else if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(static_cast<std::uint16_t>(port));
        std::memcpy(&address.storage, &six, sizeof six);
        address.size = sizeof six;
    } else {
        return std::unexpected("not a numeric address");
    }
    return address;
}

// One connection's life; `failure_` is what the first step that failed left.
class Connection {
  public:
    explicit Connection(Deadline deadline) : deadline_(deadline) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
        if (fd_ >= 0) ::close(fd_);
    }
    const ExchangeFailure& failure() const { return failure_; }

    bool connect(const Address& address) {
        fd_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd_ < 0) return fail(Kind::kNobodyListens, errno);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 &&
            !wait_for_connection())
            return false;
        if (address.storage.ss_family == AF_UNIX) note_process();
        return true;
    }

    bool send(std::string_view data) {
        while (!data.empty()) {
            const auto count = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
            if (count > 0) {
                data.remove_prefix(static_cast<std::size_t>(count));
            } else if (errno == EAGAIN) {
                if (!wait(POLLOUT)) return false;
            } else if (errno != EINTR) {
                // It may have been answered already, and refused.
                return errno == EPIPE || errno == ECONNRESET || fail(Kind::kBroken, errno);
            }
        }
        return true;
    }

    bool read_to_end(std::string& into) {
        std::array<char, 16384> piece{};
        while (into.size() < kLargestAnswer) {
            const auto count = ::recv(fd_, piece.data(), piece.size(), 0);
            if (count == 0) return true;
            if (count > 0) {
                into.append(piece.data(), static_cast<std::size_t>(count));
            } else if (errno == EAGAIN) {
                if (!wait(POLLIN)) return false;
            } else if (errno != EINTR) {
                return fail(Kind::kBroken, errno);
            }
        }
        return fail(Kind::kBroken, EMSGSIZE);
    }

    std::optional<pid_t> process() const { return failure_.process; }

  private:
    bool fail(Kind kind, int error) {
        failure_.kind = kind;
        failure_.reason = std::generic_category().message(error);
        return false;
    }

    // A unix socket whose queue is full says EAGAIN: its server has stopped taking connections.
    bool wait_for_connection() {
        if (errno == EAGAIN) return fail(Kind::kSilent, ETIMEDOUT);
        if (errno == EACCES || errno == EPERM) return fail(Kind::kForbidden, errno);
        if (errno != EINPROGRESS) return fail(Kind::kNobodyListens, errno);
        if (!wait(POLLOUT)) return false;
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
        return error == 0 || fail(Kind::kNobodyListens, error);
    }

    bool wait(short events) {
        for (;;) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
            if (left.count() <= 0) return fail(Kind::kSilent, ETIMEDOUT);
            pollfd entry{fd_, events, 0};
            const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
            if (ready > 0) return true;
            if (ready < 0 && errno != EINTR) return fail(Kind::kBroken, errno);
        }
    }

    void note_process() {
        ucred credentials{};
        socklen_t size = sizeof credentials;
        if (::getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 && credentials.pid > 0)
            failure_.process = credentials.pid;
    }

    int fd_ = -1;
    Deadline deadline_;
    ExchangeFailure failure_;
};

std::string request_text(const std::string& method, const std::string& target, const std::string& body) {
    std::string text = method + " " + target +
                       " HTTP/1.1\r\n"
                       "Host: localhost\r\nConnection: close\r\nAccept: application/json\r\n";
    if (!body.empty()) text += "Content-Type: application/json\r\n";
    if (!body.empty() || method == "POST") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + body;
}

// Absent for what is no complete answer.
std::optional<ExchangeAnswer> parse_answer(const std::string& text, const std::string& method) {
    const auto length = http::find_head_end(text, 0);
    if (!length || !*length) return std::nullopt;
    http::ResponseHead head;
    if (http::parse_response_head(text.substr(0, **length), method, head)) return std::nullopt;
    auto body = text.substr(**length);
    if (head.framing.kind == http::Framing::Kind::kChunked) return std::nullopt;
    if (head.framing.kind == http::Framing::Kind::kLength && body.size() != head.framing.length)
        return std::nullopt;
    return ExchangeAnswer{head.status, std::move(body)};
}

}  // namespace

std::expected<ExchangeAnswer, ExchangeFailure> exchange(const Peer& peer, const std::string& method,
                                                        const std::string& target, const std::string& body,
                                                        std::chrono::milliseconds limit) {
    const auto address = address_of(peer);
    if (!address) return std::unexpected(ExchangeFailure{Kind::kNobodyListens, address.error(), {}});
    Connection connection(std::chrono::steady_clock::now() + limit);
    std::string text;
    if (!connection.connect(*address) || !connection.send(request_text(method, target, body)) ||
        !connection.read_to_end(text))
        return std::unexpected(connection.failure());
    auto answer = parse_answer(text, method);
    if (!answer) {
        return std::unexpected(
            ExchangeFailure{Kind::kBroken, "the answer is incomplete", connection.process()});
    }
    return std::move(*answer);
}

}  // namespace agentdb9::cli

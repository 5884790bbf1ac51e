#include "engine_calls.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace agentdb9::bench {

namespace {

void send_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) throw std::runtime_error("the engine closed the connection");
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

}  // namespace

EngineCalls::EngineCalls(const std::string& socket_path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_path.c_str(), sizeof address.sun_path - 1);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("no engine answers at " + socket_path);
}

EngineCalls::~EngineCalls() {
    ::close(fd_);
}

void EngineCalls::fill() {
    std::array<char, 16384> piece{};
    const auto got = ::recv(fd_, piece.data(), piece.size(), 0);
    if (got <= 0) throw std::runtime_error("the engine closed the connection");
    buffer_.append(piece.data(), static_cast<std::size_t>(got));
}

std::string EngineCalls::call(std::string_view method, std::string_view target, std::string_view body) {
    std::string request =
        std::string(method) + " /v1.41" + std::string(target) + " HTTP/1.1\r\nHost: docker\r\n";
    if (!body.empty()) request += "Content-Type: application/json\r\n";
    if (!body.empty() || method == "POST")
        request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send_all(fd_, request + "\r\n" + std::string(body));
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
        fill();
    const auto head = buffer_.substr(0, end);
    buffer_.erase(0, end + 4);
    std::string answer;
    if (const auto at = head.find("Content-Length: "); at != std::string::npos) {
        const auto size = std::strtoul(head.c_str() + at + 16, nullptr, 10);
        while (buffer_.size() < size)
            fill();
        answer = buffer_.substr(0, size);
        buffer_.erase(0, size);
    } else if (head.find("Transfer-Encoding: chunked") != std::string::npos) {
        for (std::size_t size = 1; size > 0;) {
            while ((end = buffer_.find("\r\n")) == std::string::npos)
                fill();
            size = std::strtoul(buffer_.c_str(), nullptr, 16);
            while (buffer_.size() < end + 4 + size)
                fill();
            answer += buffer_.substr(end + 2, size);
            buffer_.erase(0, end + 4 + size);
        }
    }
    if (std::atoi(head.c_str() + 9) >= 400) throw std::runtime_error(std::string(target) + ": " + answer);
    return answer;
}

bool answers(const std::string& address, int port, std::string_view path) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
    bool ready = ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    if (ready) {
        const auto request = "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        std::array<char, 64> start{};
        ready = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0 &&
                ::recv(fd, start.data(), start.size() - 1, 0) > 12 && start[9] < '5';
    }
    ::close(fd);
    return ready;
}

}  // namespace agentdb9::bench

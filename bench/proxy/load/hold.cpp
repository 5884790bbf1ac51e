// Connections that are there and do little: idle WebSockets and slow readers.
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <vector>

#include "modes.hpp"
#include "websocket.hpp"

namespace agentdb9::bench {
namespace {

// So that a body waits at the proxy and not in the reader's own kernel buffer.
constexpr int kSmallBuffer = 4096;

// Blocking: sends one message and reads it back.
bool echoes(const Fd& fd) {
    const std::string payload(64, 'x');
    std::string bytes;
    append_frame(bytes, Opcode::kBinary, payload, 0x12345678);
    if (!send_all(fd, bytes)) return false;
    std::string answer;
    std::array<char, 256> buffer{};
    FrameView frame;
    while (read_frame(answer, frame) == FrameState::kPartial) {
        const auto size = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
        if (size <= 0) return false;
        answer.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return answer.substr(frame.head_bytes) == payload;
}

void say_open() {
    std::puts("open");
    std::fflush(stdout);
}

}  // namespace

void await_word() {
    say_open();
    char word = 0;
    while (::read(STDIN_FILENO, &word, 1) < 0 && errno == EINTR) {
    }
}

void hold_websockets(const Options& options, Report& report) {
    std::vector<Fd> sockets;
    for (std::size_t i = 0; i < options.connections && report.error_count() == 0; ++i) {
        std::string error;
        sockets.push_back(open_websocket(options.port, options.target, options.token, error));
        if (!sockets.back())
            report.error(error);
        else if (!echoes(sockets.back()))
            report.error("no echo");
    }
    if (report.error_count() > 0) return;
    await_word();
    for (const auto& socket : sockets) {
        if (echoes(socket))
            report.done(64);
        else
            report.error("no echo after the silence");
    }
}

void read_slowly(const Options& options, Report& report) {
    std::vector<Fd> readers;
    for (std::size_t i = 0; i < options.connections; ++i) {
        readers.push_back(connect_to(options.port, kSmallBuffer));
        if (!readers.back() || !send_all(readers.back(), get_request(options)))
            return report.error("cannot connect");
    }
    say_open();
    Poller poller;
    const Fd input(::dup(STDIN_FILENO));
    poller.add(input, nullptr);
    // Byte by byte; a second holds one for each of them.
    auto next = Clock::now();
    while (true) {
        for (const auto& reader : readers) {
            char byte = 0;
            const auto size = ::recv(reader.get(), &byte, 1, MSG_DONTWAIT);
            if (size == 1) report.done(1);
            if (size == 0 || (size < 0 && errno != EAGAIN)) return report.error("connection lost");
        }
        next += std::chrono::seconds(1);
        if (!poller.wait(next).empty()) return;
    }
}

}  // namespace agentdb9::bench

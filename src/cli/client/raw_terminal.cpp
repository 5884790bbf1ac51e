#include "cli/client/raw_terminal.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace agentdb9::cli::client {
namespace {

constexpr std::array kEnding{SIGTERM, SIGHUP, SIGINT, SIGQUIT};
constexpr int kResized = SIGWINCH;

volatile std::sig_atomic_t ending = 0;
volatile std::sig_atomic_t resized = 0;
std::array<int, 2> wakes{-1, -1};
termios before{};
std::array<struct sigaction, kEnding.size() + 1> handlers{};

void on_signal(int signal) {
    const int saved = errno;
    (signal == kResized ? resized : ending) = 1;
    [[maybe_unused]] const auto ignored = ::write(wakes[1], "x", 1);
    errno = saved;
}

}  // namespace

RawTerminal::RawTerminal() {
    if (::pipe2(wakes.data(), O_CLOEXEC | O_NONBLOCK) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe");
    ending = 0;
    resized = 0;
    ::tcgetattr(STDIN_FILENO, &before);
    struct sigaction action{};
    action.sa_handler = &on_signal;
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < kEnding.size(); ++i)
        ::sigaction(kEnding[i], &action, &handlers[i]);
    ::sigaction(kResized, &action, &handlers.back());
    auto raw = before;
    ::cfmakeraw(&raw);
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

RawTerminal::~RawTerminal() {
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    for (std::size_t i = 0; i < kEnding.size(); ++i)
        ::sigaction(kEnding[i], &handlers[i], nullptr);
    ::sigaction(kResized, &handlers.back(), nullptr);
    for (int& each : wakes) {
        ::close(each);
        each = -1;
    }
}

int RawTerminal::descriptor() const {
    return wakes[0];
}

void RawTerminal::drain() {
    std::array<char, 64> bytes{};
    while (::read(wakes[0], bytes.data(), bytes.size()) > 0) {
    }
}

bool RawTerminal::wants_end() {
    return ending != 0;
}

bool RawTerminal::size_changed() {
    const bool changed = resized != 0;
    resized = 0;
    return changed;
}

std::optional<std::pair<int, int>> window_size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return std::nullopt;
    return std::pair(static_cast<int>(size.ws_col), static_cast<int>(size.ws_row));
}

}  // namespace agentdb9::cli::client

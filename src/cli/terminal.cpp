#include "cli/terminal.hpp"

#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <iostream>

#include "base/error.hpp"

namespace agentdb9::cli {
namespace {

// What the terminal was like; a signal that ends the program in the middle puts it back.
termios hidden_before{};

void show_again(int signal) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &hidden_before);
    ::signal(signal, SIG_DFL);
    ::raise(signal);
}

// Keeps what is typed from being shown.
class Hidden {
  public:
    Hidden() {
        if (::tcgetattr(STDIN_FILENO, &hidden_before) != 0) return;
        for (std::size_t i = 0; i < kSignals.size(); ++i) {
            handlers_[i] = ::signal(kSignals[i], &show_again);
            if (handlers_[i] == SIG_IGN) ::signal(kSignals[i], SIG_IGN);
        }
        active_ = true;
        auto hidden = hidden_before;
        hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    Hidden(const Hidden&) = delete;
    Hidden& operator=(const Hidden&) = delete;
    ~Hidden() {
        if (!active_) return;
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden_before);
        for (std::size_t i = 0; i < kSignals.size(); ++i)
            ::signal(kSignals[i], handlers_[i]);
    }

  private:
    static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    std::array<void (*)(int), kSignals.size()> handlers_{};
    bool active_ = false;
};

}  // namespace

bool stdin_is_terminal() {
    return ::isatty(STDIN_FILENO) == 1;
}

std::string read_password() {
    return read_secret("Password: ",
                       "Standard input holds no password: its first line is read with --password-stdin.");
}

std::string read_secret(const std::string& prompt, const std::string& absent) {
    std::string line;
    if (stdin_is_terminal()) {
        // First, so that nothing is shown of what is typed early.
        const Hidden hidden;
        std::cerr << prompt << std::flush;
        std::getline(std::cin, line);
        std::cerr << "\n";
    } else {
        std::getline(std::cin, line);
    }
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) throw base::Error(base::ErrorCode::kInvalid, "no_password", absent);
    return line;
}

std::string ask(const std::string& question) {
    std::cerr << question << std::flush;
    std::string line;
    std::getline(std::cin, line);
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

bool confirm(const std::string& question, std::string_view instead) {
    if (!stdin_is_terminal()) {
        throw base::Error(
            base::ErrorCode::kInvalid, "not_confirmed",
            question + " Nobody can be asked here: confirm it with " + std::string(instead) + ".");
    }
    std::cerr << question << " [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

std::string short_time(const json::value& time) {
    if (!time.is_string() || time.get_string().size() < 16) return "-";
    std::string text(time.get_string().subview(0, 16));
    text[10] = ' ';
    return text;
}

std::string or_dash(const json::value& text) {
    return text.is_string() ? std::string(text.get_string()) : "-";
}

}  // namespace agentdb9::cli

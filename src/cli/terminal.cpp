#include "cli/terminal.hpp"

#include <termios.h>
#include <unistd.h>

#include <iostream>

#include "base/error.hpp"

namespace agentdb9::cli {
namespace {

// Keeps what is typed from being shown.
class Hidden {
  public:
    Hidden() {
        if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
        auto hidden = before_;
        hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        active_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0;
    }
    Hidden(const Hidden&) = delete;
    Hidden& operator=(const Hidden&) = delete;
    ~Hidden() {
        if (active_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }

  private:
    termios before_{};
    bool active_ = false;
};

}  // namespace

std::string read_password() {
    std::string line;
    if (::isatty(STDIN_FILENO) == 1) {
        std::cerr << "Password: " << std::flush;
        const Hidden hidden;
        std::getline(std::cin, line);
        std::cerr << "\n";
    } else {
        std::getline(std::cin, line);
    }
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) {
        throw base::Error(base::ErrorCode::kInvalid, "no_password",
                          "Standard input holds no password: its first line is read with --password-stdin.");
    }
    return line;
}

bool confirm(const std::string& question, std::string_view instead) {
    if (::isatty(STDIN_FILENO) != 1) {
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

#include "cli/client/operation.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "cli/client/text.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Error;
using base::ErrorCode;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstLook{150};
constexpr std::chrono::milliseconds kSlowestLook{1000};
// Whether the engine answers is asked less often: it costs the server a call to it.
constexpr std::chrono::seconds kEngineLook{2};
constexpr std::chrono::seconds kEnginePatience{5};

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");

bool can_be_live() {
    const auto* kind = std::getenv("TERM");
    return ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1 && kind != nullptr &&
           std::string_view(kind) != "dumb";
}

std::size_t columns() {
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int seconds_since(SteadyClock::time_point began) {
    return static_cast<int>(std::chrono::floor<std::chrono::seconds>(SteadyClock::now() - began).count());
}

// Ends early when a signal comes.
void pause(std::chrono::milliseconds time) {
    if (!interrupted) ::poll(nullptr, 0, static_cast<int>(time.count()));
}

std::optional<int> percent_of(const json::object& operation) {
    const auto* value = operation.if_contains("progress");
    if (value == nullptr || !value->is_int64()) return std::nullopt;
    return static_cast<int>(value->get_int64());
}

std::string state_of(const json::object& operation) {
    return text_in(operation, "state");
}

bool is_under_way(const json::object& operation) {
    const auto state = state_of(operation);
    return state == "pending" || state == "running";
}

[[noreturn]] void refuse(const json::object& operation) {
    if (state_of(operation) == "superseded") {
        throw Error(ErrorCode::kConflict, "operation_superseded",
                    "A newer request took the place of this one. 'agentdb9 workspaces status " +
                        shown(operation, "workspaceId") + "' shows how the workspace is.");
    }
    const auto code = text_in(operation, "errorCode");
    throw Error(ErrorCode::kConflict, code.empty() ? "operation_failed" : code,
                printable_lines(text_in(operation, "error")));
}

// The operation as it is now; nothing when its workspace is gone.
std::optional<json::object> look_up(Api& api, const json::object& operation) {
    const auto id = text_in(operation, "id");
    json::value data;
    try {
        data =
            api.get("/api/workspaces/" + text_in(operation, "workspaceId") + "/operations?limit=50").data();
    } catch (const Error& error) {
        if (error.code() == ErrorCode::kNotFound) return std::nullopt;
        throw;
    }
    if (data.is_array()) {
        for (const auto& row : data.get_array())
            if (row.is_object() && text_in(row.get_object(), "id") == id) return row.get_object();
    }
    // So many newer ones: one of them took its place.
    auto gone = operation;
    gone["state"] = "superseded";
    return gone;
}

// Whether the server's container engine answers.
class EngineWatch {
  public:
    EngineWatch(Api& api, std::string workspace) : api_(api), workspace_(std::move(workspace)) {}

    // Looks, when it is time to. Throws what Api::get throws.
    void look() {
        const auto now = SteadyClock::now();
        if (now < next_look_) return;
        next_look_ = now + kEngineLook;
        if (!is_silent_now()) {
            silent_since_.reset();
        } else if (!silent_since_) {
            silent_since_ = now;
        }
    }
    bool is_silent() const { return silent_since_.has_value(); }
    bool is_silent_for_long() const {
        return silent_since_ && SteadyClock::now() - *silent_since_ >= kEnginePatience;
    }

  private:
    bool is_silent_now() {
        try {
            const auto data = api_.get("/api/workspaces/" + workspace_ + "/status").data();
            return data.is_object() && text_in(data.get_object(), "health") == "unknown";
        } catch (const Error& error) {
            // Deleted in this moment: the next look at the operation tells.
            if (error.code() == ErrorCode::kNotFound) return false;
            throw;
        }
    }

    Api& api_;
    std::string workspace_;
    SteadyClock::time_point next_look_ = SteadyClock::now() + kEngineLook;
    std::optional<SteadyClock::time_point> silent_since_;
};

bool is_passing(const Error& error) {
    return error.code() == ErrorCode::kUnavailable || error.code() == ErrorCode::kTimeout;
}

}  // namespace

std::string phase_text(const json::object& operation) {
    auto phase = text_in(operation, "phase");
    const auto* queue = operation.if_contains("queue");
    if (queue == nullptr || !queue->is_object()) return phase;
    const auto* position = queue->get_object().if_contains("position");
    const auto* of = queue->get_object().if_contains("of");
    if (position == nullptr || of == nullptr || !position->is_int64() || !of->is_int64()) return phase;
    return phase + ", " + std::to_string(position->get_int64()) + " of " + std::to_string(of->get_int64());
}

std::string progress_line(std::string_view title, std::string_view phase, std::optional<int> percent,
                          int seconds, std::size_t columns) {
    auto line = printable(title);
    if (!phase.empty()) line += ": " + printable(phase);
    // 0 and 100 say nothing that the phase does not.
    if (percent && *percent > 0 && *percent < 100) line += ", " + std::to_string(*percent) + " %";
    const auto time = " (" + std::to_string(seconds) + " s)";
    // A line that wraps cannot be written over. The last column stays free.
    const auto room = columns > time.size() + 1 ? columns - time.size() - 1 : 0;
    const auto is_start = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
    std::size_t characters = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (is_start(line[i]) && ++characters > room) {
            line.resize(i);
            break;
        }
    }
    return line + time;
}

Interruption::Interruption() {
    interrupted = false;
    struct sigaction action{};
    // Without SA_RESTART: what waits goes on at once.
    action.sa_handler = [](int) { interrupted = true; };
    ::sigaction(SIGINT, &action, nullptr);
}

Interruption::~Interruption() {
    ::signal(SIGINT, SIG_DFL);
}

bool Interruption::happened() {
    return interrupted;
}

Progress::Progress(std::string title) : title_(std::move(title)), live_(can_be_live()) {}

void Progress::show(std::string_view phase, std::optional<int> percent, int seconds) {
    if (!live_) return;
    std::cerr << "\r\x1b[K" << progress_line(title_, phase, percent, seconds, columns()) << std::flush;
    shown_ = true;
}

void Progress::clear() {
    if (shown_) std::cerr << "\r\x1b[K" << std::flush;
    shown_ = false;
}

// 1. Look, less often as time goes on. 2. A server that is away for a moment, as in its own restart, is
// waited for.
// 3. A workspace that is gone has been deleted. 4. Without its engine the server keeps the operation for as
// long as that takes, and the person is told. 5. Ctrl-C ends the looking, not the operation.
Ending follow(Api& api, const json::object& operation, Progress& progress) {
    const auto began = SteadyClock::now();
    auto answered = began;
    auto current = operation;
    auto wait = kFirstLook;
    EngineWatch engine(api, text_in(operation, "workspaceId"));
    while (is_under_way(current)) {
        if (engine.is_silent_for_long()) {
            throw Error(ErrorCode::kUnavailable, "runtime_unavailable",
                        "The server's container engine does not answer. What you asked for is recorded, and "
                        "goes on by "
                        "itself when it does: 'agentdb9 workspaces status " +
                            shown(operation, "workspaceId") + "' shows it.");
        }
        progress.show(engine.is_silent() ? "the container engine does not answer" : phase_text(current),
                      percent_of(current), seconds_since(began));
        pause(wait);
        wait = std::min(wait * 5 / 4, kSlowestLook);
        if (Interruption::happened()) return Ending::kInterrupted;
        try {
            auto next = look_up(api, current);
            if (!next) {
                if (text_in(operation, "kind") == "delete") return Ending::kDone;
                throw Error(ErrorCode::kNotFound, "workspace_not_found",
                            "The workspace was deleted meanwhile.");
            }
            current = std::move(*next);
            if (is_under_way(current)) engine.look();
            answered = SteadyClock::now();
        } catch (const Error& error) {
            if (Interruption::happened()) return Ending::kInterrupted;
            if (!is_passing(error)) throw;
            if (SteadyClock::now() - answered > api.limit()) {
                throw Error(
                    ErrorCode::kUnavailable, "server_lost",
                    "The server at " + api.url() +
                        " does not answer any more. What you asked for is recorded there and goes on: "
                        "'agentdb9 workspaces status " +
                        shown(operation, "workspaceId") + "' shows it. " + error.message());
            }
            progress.show("the server does not answer; trying again", std::nullopt, seconds_since(began));
        }
    }
    if (state_of(current) != "succeeded") refuse(current);
    return Ending::kDone;
}

}  // namespace agentdb9::cli::client

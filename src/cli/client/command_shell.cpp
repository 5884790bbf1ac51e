// shell: a terminal in a workspace, on this one; over lost connections, as long as the server keeps it.
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <iostream>

#include "cli/client/commands.hpp"
#include "cli/client/descriptors.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/raw_terminal.hpp"
#include "cli/client/text.hpp"
#include "cli/terminal.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Error;
using base::ErrorCode;
using Kind = http::WebSocketMessage::Kind;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRetry{1000};
// Longer than any server keeps a terminal by itself.
constexpr std::chrono::minutes kPatience{10};
// The server says something every twenty-five seconds.
constexpr std::chrono::seconds kSilence{70};
// For what comes behind the end.
constexpr std::chrono::milliseconds kLeave{1000};
constexpr std::uint64_t kAckEvery = std::uint64_t{32} << 10;
// What was typed, kept until it may have arrived.
constexpr std::size_t kMostTyped = std::size_t{256} << 10;
constexpr std::size_t kMostSent = std::size_t{32} << 10;
constexpr char kCtrlC = 3;
constexpr std::uint16_t kSignedOut = 1008;
constexpr std::uint16_t kTakenOver = 4001;

void write_out(std::string_view bytes) {
    if (!write_all(STDOUT_FILENO, bytes))
        throw Error(ErrorCode::kInternal, "output_failed", "The terminal takes nothing any more.");
}

// Between the program's own lines, on a raw terminal.
void note(std::string_view text) {
    write_out("\r\n[agentdb9: " + std::string(text) + "]\r\n");
}

std::uint64_t count_in(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_int64() && value->get_int64() > 0
               ? static_cast<std::uint64_t>(value->get_int64())
               : 0;
}

// What was typed, by its number since the beginning: what a lost connection has taken with it is sent again.
class Typed {
  public:
    void add(std::string_view bytes) {
        text_ += bytes;
        if (text_.size() > kMostTyped) {
            begin_ += text_.size() - kMostTyped;
            text_.erase(0, text_.size() - kMostTyped);
        }
    }
    // What comes after the first `received`.
    std::string_view after(std::uint64_t received) const {
        const auto from = std::clamp(received, begin_, begin_ + text_.size());
        return std::string_view(text_).substr(static_cast<std::size_t>(from - begin_));
    }
    std::uint64_t end() const { return begin_ + text_.size(); }

  private:
    std::string text_;
    std::uint64_t begin_ = 0;
};

class Shell {
  public:
    Shell(Api& api, std::string path) : api_(api), path_(std::move(path)) {}

    int run() {
        connect();
        RawTerminal raw;
        raw_ = &raw;
        while (!code_) {
            if (!socket_ || socket_->lost()) reconnect();
            if (!code_) one_round();
        }
        if (ended_) take_leave();
        return *code_;
    }

  private:
    void connect() {
        std::string query;
        const auto add = [&](const std::string& name, const std::string& value) {
            query += (query.empty() ? "?" : "&") + name + "=" + value;
        };
        if (const auto size = window_size()) {
            add("columns", std::to_string(size->first));
            add("rows", std::to_string(size->second));
        }
        if (!session_.empty()) {
            add("session", session_);
            add("after", std::to_string(received_));
        }
        socket_ = api_.open_websocket(path_ + query);
        heard_at_ = steady_clock::now();
        ready_ = false;
    }

    void reconnect() {
        socket_.reset();
        note("the connection is lost; trying again. Ctrl-C gives up");
        const auto until = steady_clock::now() + kPatience;
        // Also while a try hangs.
        const Listening listening(api_, [this] {
            listen(std::chrono::milliseconds(0));
            return is_given_up();
        });
        while (!socket_ && !is_given_up()) {
            wait(kRetry);
            if (is_given_up()) break;
            try {
                connect();
            } catch (const Error& error) {
                if (is_given_up()) break;
                if (error.word() == "terminal_not_found") return end("the terminal has ended meanwhile");
                const bool passes = error.code() == ErrorCode::kUnavailable ||
                                    error.code() == ErrorCode::kTimeout ||
                                    error.code() == ErrorCode::kUpstream;
                if (!passes || steady_clock::now() > until) throw;
            }
        }
        if (!given_up_.empty()) end(given_up_);
    }

    class Listening {
      public:
        Listening(Api& api, std::function<bool()> cancelled) : api_(api) {
            api_.set_cancelled(std::move(cancelled));
        }
        Listening(const Listening&) = delete;
        Listening& operator=(const Listening&) = delete;
        ~Listening() { api_.set_cancelled({}); }

      private:
        Api& api_;
    };

    bool is_given_up() const { return code_ || !given_up_.empty(); }

    // Without a connection: what is typed is kept, but Ctrl-C and signals end the whole. Writes nothing.
    void listen(std::chrono::milliseconds longest) {
        std::array<pollfd, 2> polled{{{STDIN_FILENO, POLLIN, 0}, {raw_->descriptor(), POLLIN, 0}}};
        ::poll(polled.data(), polled.size(), static_cast<int>(longest.count()));
        if (polled[1].revents != 0) {
            raw_->drain();
            if (RawTerminal::wants_end()) given_up_ = "ended";
        }
        if (polled[0].revents != 0) {
            const auto bytes = read_keys();
            if (bytes.contains(kCtrlC))
                given_up_ = "given up";
            else
                typed_.add(bytes);
        }
    }

    void wait(std::chrono::milliseconds duration) {
        const auto until = steady_clock::now() + duration;
        while (!is_given_up()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now());
            if (left.count() <= 0) return;
            listen(left);
        }
    }

    void one_round() {
        take_messages();
        if (code_ || !socket_ || socket_->lost()) return;
        std::array<pollfd, 3> polled{
            {{socket_->descriptor(), POLLIN, 0}, {raw_->descriptor(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
        ::poll(polled.data(), polled.size(), static_cast<int>(kRetry.count()));
        if (polled[1].revents != 0) look_at_signals();
        if (polled[2].revents != 0) {
            typed_.add(read_keys());
            send_typed();
        }
        if (steady_clock::now() - heard_at_ > kSilence) socket_.reset();
    }

    void send_typed() {
        while (ready_ && socket_ && !socket_->lost() && sent_ < typed_.end()) {
            const auto piece = typed_.after(sent_).substr(0, kMostSent);
            if (!socket_->send(Kind::kBinary, piece)) return;
            sent_ += piece.size();
        }
    }

    std::string read_keys() {
        std::array<char, 4096> keys{};
        const auto got = ::read(STDIN_FILENO, keys.data(), keys.size());
        if (got > 0) return {keys.data(), static_cast<std::size_t>(got)};
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
        // The terminal itself is gone.
        code_ = kExitFailed;
        return {};
    }

    void look_at_signals() {
        raw_->drain();
        if (RawTerminal::wants_end()) {
            if (socket_) tell({{"type", "end"}});
            return end("ended");
        }
        if (!RawTerminal::size_changed() || !socket_) return;
        if (const auto size = window_size()) {
            tell({{"type", "resize"}, {"columns", size->first}, {"rows", size->second}});
        }
    }

    void tell(const json::object& message) { socket_->send(Kind::kText, json::serialize(message)); }

    void take_messages() {
        while (auto message = socket_->next()) {
            heard_at_ = steady_clock::now();
            if (message->kind == Kind::kBinary) {
                write_out(message->bytes);
                received_ += message->bytes.size();
                if (received_ - acknowledged_ >= kAckEvery) acknowledge();
            } else if (message->kind == Kind::kText) {
                take_word(message->bytes);
            } else if (message->kind == Kind::kClose) {
                return closed(*message);
            }
            if (code_) return;
        }
        // All that has come is shown: nothing of it needs to be kept.
        if (received_ > acknowledged_) acknowledge();
    }

    // The server keeps the end for another connection until its close is answered.
    void take_leave() {
        const auto until = steady_clock::now() + kLeave;
        while (socket_ && !socket_->lost() && steady_clock::now() < until) {
            const auto message = socket_->next();
            if (message && message->kind == Kind::kClose) return;
            if (message) continue;
            pollfd polled{socket_->descriptor(), POLLIN, 0};
            ::poll(&polled, 1, static_cast<int>(kLeave.count()));
        }
    }

    void acknowledge() {
        acknowledged_ = received_;
        tell({{"type", "ack"}, {"offset", received_}});
    }

    void take_word(const std::string& text) {
        const auto value = base::parse_json_or(text, json::object());
        if (!value.is_object()) return;
        const auto& word = value.get_object();
        const auto type = text_in(word, "type");
        if (type == "ready") {
            session_ = text_in(word, "session");
            received_ = acknowledged_ = count_in(word, "offset");
            sent_ = count_in(word, "received");
            if (count_in(word, "skipped") > 0) note("some output is lost");
            ready_ = true;
            acknowledge();
            send_typed();
        } else if (type == "skipped") {
            received_ += count_in(word, "bytes");
            note("some output is lost");
        } else if (type == "exit") {
            ended_ = true;
            const auto* how = word.if_contains("exitCode");
            const auto why = text_in(word, "endedBy");
            if (why != "itself" && why != "request")
                note(why == "workspace_stopped" ? "the workspace was stopped, restarted or switched"
                     : why == "signed_out"      ? "your login or token has ended"
                     : why == "shutting_down"   ? "the server is ending"
                     : why == "engine_lost"     ? "the container engine is away"
                                                : "the terminal was ended");
            code_ = how != nullptr && how->is_int64() ? static_cast<int>(how->get_int64()) : kExitFailed;
        }
    }

    void closed(const http::WebSocketMessage& message) {
        if (message.code == kSignedOut) return end("your login or token has ended");
        if (message.code == kTakenOver) return end("another connection has taken the terminal over");
        // Anything else may be a server that comes again.
        socket_.reset();
    }

    void end(std::string_view why) {
        note(why);
        code_ = kExitFailed;
    }

    Api& api_;
    std::string path_;
    std::unique_ptr<WebSocket> socket_;
    RawTerminal* raw_ = nullptr;
    std::string session_;
    bool ready_ = false;
    std::uint64_t received_ = 0;
    std::uint64_t acknowledged_ = 0;
    Typed typed_;
    std::uint64_t sent_ = 0;
    steady_clock::time_point heard_at_;
    bool ended_ = false;  // as the server says
    std::string_view given_up_;
    std::optional<int> code_;
};

int run(const Context& context, const std::string& wanted) {
    if (!stdin_is_terminal() || ::isatty(STDOUT_FILENO) != 1) {
        throw Error(ErrorCode::kInvalid, "no_terminal",
                    "A shell needs a terminal here; 'agentdb9 exec' runs a command without one.");
    }
    auto api = open_api(context);
    const auto workspace = find_workspace(api, wanted);
    return Shell(api, "/api/workspaces/" + text_in(workspace, "id") + "/terminal").run();
}

}  // namespace

void add_shell(CLI::App& program, Context& context, int& code) {
    auto wanted = std::make_shared<std::string>();
    auto* command = program.add_subcommand("shell", "Open a terminal in a workspace");
    command->footer(
        "The exit code is the shell's. A connection that is lost is made again, and nothing of the terminal "
        "is "
        "lost with it, as long as the server keeps it: a minute, where the operator has not said "
        "otherwise.\n\n"
        "Examples:\n  agentdb9 shell editor");
    command->add_option("WORKSPACE", *wanted, "Its name or id")->required()->type_name("");
    add_client_options(*command, context);
    command->callback([&context, &code, wanted] { code = run(context, *wanted); });
}

}  // namespace agentdb9::cli::client
